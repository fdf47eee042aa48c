import type { Alerts, RaisedAlert } from '../alerts/alerts'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { countedFields } from './counted-use'
import { describeParts } from './explain-drift'
import { DRIFT_SHARE_MAX, type DriftVerdict } from './judge-drift'
import type { ComparedRow, Gap, ReconciliationStore } from './reconciliation-store'

interface GapDeps {
  readonly store: Pick<ReconciliationStore, 'gap' | 'putGap' | 'removeGap'>
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
  readonly clock: Clock
}

/** The last part of its resource id: unique, since it is the account's subdomain. */
const nameOf = (accountId: string) => accountId.slice(accountId.lastIndexOf('/') + 1)

export const driftAlertId = (accountId: string, deployment: string) => `usage-drift/${nameOf(accountId)}/${deployment}`
const gapAlertId = (account: string) =>
  `usage-unreadable/${account.startsWith('/') ? nameOf(account) : encodeURIComponent(account)}`

/** What an operator is told of a deployment whose figures are not the provider's. */
export function driftAlert({
  accountId,
  deployment,
  tenantId,
  verdict,
  row,
}: {
  accountId: string
  deployment: string
  tenantId: TenantId | undefined
  verdict: Extract<DriftVerdict, { kind: 'past' }>
  row: ComparedRow
}): RaisedAlert {
  const { fields, theirs, ours, hours } = verdict
  const figures = fields.map((field) => `${fieldWords[field]}: ${theirs[field]} there, ${ours[field]} here`)
  return {
    id: driftAlertId(accountId, deployment),
    kind: 'usage-drift',
    severity: 'warning',
    tenantId,
    title: `The provider counts other usage of ${deployment} than the platform`,
    detail:
      `Over the last ${hours} compared hours, ${figures.join('; ')}. That is more than ${DRIFT_SHARE_MAX * 100} % that nothing known ` +
      `accounts for. Of the hour of ${new Date(row.hourMs).toISOString()}: ${describeParts(row.parts) || 'no difference'}. ` +
      'Who else has a key or a role at the account may call it past the platform.',
    evidence: {
      accountId,
      deployment,
      hours,
      theirs: { ...theirs },
      ours: { ...ours },
      unexplained: { ...verdict.unexplained },
    },
  }
}

const fieldWords: Record<(typeof countedFields)[number], string> = {
  requests: 'requests',
  promptTokens: 'prompt tokens',
  outputTokens: 'output tokens',
}

/** An account that cannot be compared, from now on: operators are told once, until it can be. */
export async function openGap(
  { store, alerts, clock }: GapDeps,
  { kind, account, detail }: Omit<Gap, 'sinceMs'>,
): Promise<void> {
  const known = await store.gap(account)
  // A throttled question says nothing new of an account that is closed to us.
  if (known?.kind === kind || (known && kind === 'busy')) return
  if (kind !== 'busy')
    await alerts.raise({
      id: gapAlertId(account),
      kind: 'usage-unreadable',
      severity: 'notice',
      tenantId: undefined,
      title: `The provider’s figures of ${account.startsWith('/') ? nameOf(account) : account} cannot be compared`,
      detail: `${advice[kind]} ${detail}`.trim(),
    })
  // Behind the alert: after a crash between the two it is raised once more.
  await store.putGap(account, { kind, account, detail, sinceMs: known?.sinceMs ?? clock.now() })
}

const advice: Record<Exclude<Gap['kind'], 'busy'>, string> = {
  'no-right': 'Give the platform’s identity the role Monitoring Reader at the account.',
  gone: 'Backends name an account that is not there.',
  unsupported: 'Azure Monitor has none of the metrics that are compared.',
  'no-resource-id': 'Name the account’s resource id in a stamp.',
}

export async function closeGap({ store, alerts }: GapDeps, account: string): Promise<void> {
  const known = await store.gap(account)
  if (!known) return
  if (known.kind !== 'busy') await alerts.resolve(gapAlertId(account))
  await store.removeGap(account)
}
