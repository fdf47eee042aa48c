import type { Alerts } from '../alerts/alerts'
import type { Arm } from '../azure/arm'
import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import type { BackendId, TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { Backends } from '../routing/backends'
import type { Stamps } from '../stamps/stamps'
import { inParallel } from '../base/in-parallel'
import { addCounted, isNothing, nothingCounted } from './counted-use'
import { closeGap, driftAlert, driftAlertId, openGap } from './drift-alerts'
import { explainDrift, noUse, unexplained, type OurUse } from './explain-drift'
import { judgeDrift, withHour } from './judge-drift'
import { addressesOf, placeBackend } from './model-accounts'
import type { BackendUse } from './our-counts'
import { providerCounts } from './provider-counts'
import type { ComparedRow, Look, ReconciliationStore } from './reconciliation-store'

export interface ReconcileDeps {
  readonly arm: Pick<Arm, 'get'>
  readonly store: ReconciliationStore
  readonly ourCounts: (hourMs: number) => Promise<readonly BackendUse[]>
  readonly backends: Pick<Backends, 'list'>
  readonly stamps: Pick<Stamps, 'list'>
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
  readonly clock: Clock
  readonly log: Log
}

/** An account with what the platform knows of its deployments, by name in lower case. */
interface ComparedAccount {
  readonly accountId: string
  readonly deployments: Map<string, KnownDeployment>
}

interface KnownDeployment {
  /** Whose it is alone. */
  readonly ownerTenantId: TenantId | undefined
  readonly ours: OurUse
}

/** Azure Resource Manager lets a principal read some thousand times an hour in a subscription; this is far below. */
const ACCOUNTS_AT_ONCE = 4

/**
 * Compares one hour at every account; how many deployments were compared. Each row is written whole, so an hour that is compared
 * twice, by two at once or after a crash, says the same. What cannot be read becomes a gap that operators see, and keeps nothing else
 * from being compared. The first look skips accounts that we did not call: the final one finds whoever called them past us.
 */
export async function reconcileHour(
  deps: ReconcileDeps,
  { hourMs, look }: { hourMs: number; look: Look },
): Promise<number> {
  const accounts = await accountsOf(deps, await deps.ourCounts(hourMs))
  let compared = 0
  await inParallel(accounts, ACCOUNTS_AT_ONCE, async (account) => {
    const isCalled = [...account.deployments.values()].some(({ ours }) => !isNothing(ours.counted))
    if (look === 'first' && !isCalled) return
    try {
      const rows = await compareAccount(deps, { account, hourMs, look, mayBeIdle: !isCalled })
      // Apart from the await: others add theirs meanwhile.
      compared += rows
    } catch (error) {
      // One account's trouble is not the others'; the final look comes a day later, and the next hour sooner.
      deps.log.warn('an account could not be compared', { account: account.accountId, error: describeError(error) })
    }
  })
  return compared
}

async function accountsOf(deps: ReconcileDeps, uses: readonly BackendUse[]): Promise<ComparedAccount[]> {
  const backends = (await deps.backends.list()).map(({ backend }) => backend)
  const namedByStamps = (await deps.stamps.list()).flatMap(({ stamp }) => stamp.modelAccountIds)
  const needsAddresses = backends.some(({ api, resourceId }) => api.kind === 'azure-openai' && resourceId === undefined)
  const accountAt = needsAddresses ? await addressesOf(deps.arm, namedByStamps) : new Map<string, string>()

  const accounts = new Map<string, ComparedAccount>()
  const accountOf = new Map<BackendId, ComparedAccount>()
  const withoutAccount = new Set<string>()
  for (const backend of backends) {
    const placed = placeBackend(backend, accountAt)
    if (placed.kind === 'no-resource-id') withoutAccount.add(backend.endpoint)
    if (placed.kind !== 'account') continue
    const { accountId } = placed
    const account = accounts.get(accountId) ?? { accountId, deployments: new Map<string, KnownDeployment>() }
    accounts.set(accountId, account)
    accountOf.set(backend.id, account)
    const name = backend.deployment.toLowerCase()
    const known = account.deployments.get(name)
    account.deployments.set(name, known ?? { ownerTenantId: backend.ownerTenantId, ours: noUse })
  }
  for (const { backendId, deployment, use } of uses) {
    const account = accountOf.get(backendId)
    const known = account?.deployments.get(deployment)
    account?.deployments.set(deployment, {
      ownerTenantId: known?.ownerTenantId,
      ours: known ? addUse(known.ours, use) : use,
    })
  }
  await keepGaps(deps, { withoutAccount, accounts })
  // While an address leads nowhere, what is there behind it is not known.
  if (withoutAccount.size === 0) await endGone(deps, accounts)
  return [...accounts.values()]
}

/** Two backends may stand for one deployment. What is known of models alone is the same in both. */
const addUse = (one: OurUse, other: OurUse): OurUse => ({
  counted: addCounted(one.counted, other.counted),
  batched: addCounted(one.batched, other.batched),
  estimatedCalls: one.estimatedCalls + other.estimatedCalls,
  rejectedCalls: one.rejectedCalls + other.rejectedCalls,
  cachedTokens: one.cachedTokens + other.cachedTokens,
  unsettledCalls: Math.max(one.unsettledCalls, other.unsettledCalls),
  hedgedTokens: Math.max(one.hedgedTokens, other.hedgedTokens),
})

/** Says which addresses no account is known for, and forgets what is not so any more. */
async function keepGaps(
  deps: ReconcileDeps,
  { withoutAccount, accounts }: { withoutAccount: ReadonlySet<string>; accounts: ReadonlyMap<string, unknown> },
): Promise<void> {
  for (const endpoint of withoutAccount)
    await openGap(deps, {
      kind: 'no-resource-id',
      account: endpoint,
      detail: 'No stamp names the account at this address, so there is no resource whose metrics could be read.',
    })
  for (const { kind, account } of await deps.store.gaps()) {
    const isStill = kind === 'no-resource-id' ? withoutAccount.has(account) : accounts.has(account)
    if (!isStill) await closeGap(deps, account)
  }
}

/** Of deployments that are no backends any more nothing is judged again, so what was said of them ends here. */
async function endGone(
  { store, alerts }: ReconcileDeps,
  accounts: ReadonlyMap<string, ComparedAccount>,
): Promise<void> {
  for await (const { accountId, deployment } of store.windows()) {
    if (accounts.get(accountId)?.deployments.has(deployment)) continue
    await alerts.resolve(driftAlertId(accountId, deployment), 'The deployment is gone.')
    await store.removeWindow(accountId, deployment)
  }
}

async function compareAccount(
  deps: ReconcileDeps,
  asked: { account: ComparedAccount; hourMs: number; look: Look; mayBeIdle: boolean },
): Promise<number> {
  const { account, hourMs, look, mayBeIdle } = asked
  const { accountId, deployments: known } = account
  const counts = await providerCounts(deps.arm, { accountId, hourMs, mayBeIdle })
  switch (counts.kind) {
    case 'counted':
      break
    case 'gone':
      await openGap(deps, { kind: 'gone', account: accountId, detail: 'There is no such account.' })
      return 0
    case 'no-right':
    case 'unsupported':
    case 'busy':
      await openGap(deps, { kind: counts.kind, account: accountId, detail: counts.message })
      return 0
    default:
      return assertNever(counts)
  }
  await closeGap(deps, accountId)
  let compared = 0
  for (const deployment of new Set([...known.keys(), ...counts.deployments.keys()])) {
    const ours = known.get(deployment)?.ours ?? noUse
    const theirs = counts.deployments.get(deployment) ?? nothingCounted
    if (isNothing(ours.counted) && isNothing(theirs)) continue
    const comparedAtMs = deps.clock.now()
    const row = { hourMs, accountId, deployment, look, comparedAtMs, theirs, ours, ...explainDrift(theirs, ours) }
    await deps.store.putRow(row)
    // Deployments that are not the platform's are none of its alerts' business.
    if (known.has(deployment)) await judge(deps, row, known.get(deployment)?.ownerTenantId)
    compared++
  }
  return compared
}

/**
 * The alert before the window: whoever comes after a crash finds the window as it was, and says the same again. A deployment that
 * serves batches is not judged, since their lines count here when they were fetched and there when they ran, up to days apart.
 */
async function judge(deps: ReconcileDeps, row: ComparedRow, tenantId: TenantId | undefined): Promise<void> {
  const { store, alerts } = deps
  const { hourMs, accountId, deployment, theirs } = row
  const before = await store.window(accountId, deployment)
  const hours = withHour(before.hours, { hourMs, theirs, ours: row.ours.counted, unexplained: unexplained(row) })
  const servesBatches = before.servesBatches || !isNothing(row.ours.batched)
  const verdict = judgeDrift(hours)
  const isOver = servesBatches ? !before.servesBatches : verdict.kind === 'within'
  if (!servesBatches && verdict.kind === 'past')
    await alerts.raise(driftAlert({ accountId, deployment, tenantId, verdict, row }))
  else if (isOver && judgeDrift(before.hours).kind !== 'within')
    await alerts.resolve(driftAlertId(accountId, deployment))
  await store.putWindow(accountId, deployment, { hours, servesBatches })
}
