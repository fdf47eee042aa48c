/** Walks over tenants, on behalf of each by itself (I4), and over the list of their secrets, of which it reads names and times. */
import { createHmac } from 'node:crypto'
import type { Alerts } from '../alerts/alerts'
import type { SecretAges } from '../azure/secret-store'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { eachOf } from '../base/each-of'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { TimeBox } from '../base/time-box'
import type { WrappingKey } from '../base/wrapping-key'
import type { TenantKeyring } from '../encryption/sealer'
import type { Notifications } from '../notifications/notice'
import { TenantScope } from '../storage/tenant-scope'
import type { HousekeepingStore } from './housekeeping-store'
import {
  createRotationTally,
  dueAfterDays,
  isRotationDue,
  secretKinds,
  type AgedSecret,
  type RotationReport,
  type SecretKind,
} from './rotation-report'

/** A secret that the app's settings hold. The value is fingerprinted and goes nowhere. */
export interface HeldSecret {
  readonly kind: 'backend-key' | 'operator-token' | 'application-secret'
  readonly name: string
  readonly value: string
}

export interface WatchRotationDeps {
  readonly held: readonly HeldSecret[]
  /** The secret by which fingerprints are keyed. */
  readonly pepper: string
  readonly wrappingKey: Pick<WrappingKey, 'wrap'>
  readonly keyring: Pick<TenantKeyring, 'versions'>
  readonly secrets: SecretAges
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly store: HousekeepingStore
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
  readonly notifications: Notifications
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

/** Below the half hour that the Functions host gives an invocation; the report says that it is not whole. */
const RUN_MS_MAX = 20 * 60_000
const TENANTS_AT_ONCE = 8
const PROBE_BYTES = 32
const FINGERPRINT_CHARACTERS = 22

/**
 * Looks at the age of everything that stands for somebody or opens something, writes the report, and has an alert for each kind of
 * which something is due, until nothing is; tenants are told of credentials of their own. How many are due. It rotates nothing: it says
 * what is due, and docs/housekeeping.md how. It may run as often as it likes.
 */
export function createWatchRotation(deps: WatchRotationDeps): () => Promise<number> {
  return async () => {
    const { clock, store } = deps
    const time = new TimeBox(clock, RUN_MS_MAX)
    const tally = createRotationTally(clock.now())
    for (const held of deps.held) tally.add(await agedSetting(deps, held))
    const wrappingNow = await wrappingVersion(deps)
    tally.add(wrappingNow)
    await eachOf(time.within(deps.tenantIds()), TENANTS_AT_ONCE, async (tenantId) => {
      for (const aged of await agedKeys(deps, tenantId, wrappingNow)) tally.add(aged)
    })
    await lookAtSecrets(deps, tally.add, time)
    const report = tally.report(!time.hasCutOff)
    await alertOf(deps, report)
    await store.putReport(report)
    return secretKinds.reduce((sum, kind) => sum + report.counts[kind].due, 0)
  }
}

async function agedSetting(deps: WatchRotationDeps, { kind, name, value }: HeldSecret): Promise<AgedSecret> {
  const { sinceMs } = await seen(deps, `${kind}/${name}`, value)
  return { kind, name, tenantId: undefined, sinceMs }
}

function seen({ store, pepper, clock }: WatchRotationDeps, name: string, value: string) {
  const mac = createHmac('sha256', pepper).update(`${name}\n${value}`).digest('base64url')
  return store.see(name, { fingerprint: mac.slice(0, FINGERPRINT_CHARACTERS), sinceMs: clock.now() })
}

/** A wrapping key says which version wraps when it wraps something, and only then. */
async function wrappingVersion(deps: WatchRotationDeps): Promise<AgedSecret> {
  const { by } = await deps.wrappingKey.wrap(deps.chance.bytes(PROBE_BYTES))
  const { sinceMs } = await seen(deps, 'wrapping-key', by)
  return { kind: 'wrapping-key', name: by, tenantId: undefined, sinceMs }
}

async function agedKeys(
  { keyring, log }: WatchRotationDeps,
  tenantId: TenantId,
  wrappingNow: AgedSecret,
): Promise<readonly AgedSecret[]> {
  try {
    const versions = await keyring.versions(TenantScope.ofPlatform(tenantId))
    const newest = versions.at(-1)
    if (!newest) return []
    const name = `version ${newest.version}`
    const key: AgedSecret = { kind: 'data-key', name, tenantId, sinceMs: newest.madeAt }
    const older = versions.find(({ wrappedBy }) => wrappedBy !== wrappingNow.name)
    // As old as the version that should have wrapped it by now.
    return older ? [key, { kind: 'wrapping', name: older.wrappedBy, tenantId, sinceMs: wrappingNow.sinceMs }] : [key]
  } catch (error) {
    log.warn('a tenant’s data keys could not be looked at', { tenantId, error: describeError(error) })
    return []
  }
}

async function lookAtSecrets(deps: WatchRotationDeps, add: (secret: AgedSecret) => void, time: TimeBox): Promise<void> {
  const { secrets, tenantIds, clock } = deps
  const scopes = async function* () {
    for await (const tenantId of tenantIds()) yield TenantScope.ofPlatform(tenantId)
  }
  for await (const { tenantId, name, changedAt } of time.within(secrets.ages(scopes))) {
    const aged: AgedSecret = { kind: 'tenant-secret', name, tenantId, sinceMs: changedAt }
    add(aged)
    if (isRotationDue(aged, clock.now())) await tellTenant(deps, aged, tenantId)
  }
}

/** Forgotten by notifications after some weeks, and told again then: a reminder, until there is a new secret. */
const tellTenant = ({ notifications }: WatchRotationDeps, { name, sinceMs = 0 }: AgedSecret, tenantId: TenantId) =>
  notifications.publish({
    id: `secret-age/${tenantId}/${name}/${sinceMs}`,
    kind: 'secret-age',
    audience: 'tenant',
    tenantId,
    severity: 'notice',
    title: `The secret "${name}" has been the same for ${dueAfterDays['tenant-secret']} days`,
    text: `It was given on ${new Date(sinceMs).toISOString()}. Make a new key at the account that it opens, put it in its place here, and end the old one there.`,
    data: { secret: name, since: new Date(sinceMs).toISOString() },
  })

const alertId = (kind: SecretKind) => `rotation-due/${kind}`

/** One alert for a kind, however many tenants it concerns. */
async function alertOf({ alerts }: WatchRotationDeps, { counts, due, isComplete }: RotationReport): Promise<void> {
  for (const kind of secretKinds) {
    // Of tenants' own credentials the tenants are told, who alone can do something about it.
    if (kind === 'tenant-secret') continue
    const { due: count } = counts[kind]
    if (count === 0) {
      // Half a look does not say that all is well.
      if (isComplete) await alerts.resolve(alertId(kind))
      continue
    }
    const named = due.filter((aged) => aged.kind === kind)
    const [oldest] = named
    await alerts.raise({
      id: alertId(kind),
      kind: 'rotation-due',
      severity: 'notice',
      tenantId: undefined,
      title: `${count} × ${kind}: due to be rotated`,
      detail:
        `The same for ${dueAfterDays[kind]} days or more` +
        (oldest?.sinceMs === undefined
          ? '.'
          : `, the oldest (${nameOf(oldest)}) since ${new Date(oldest.sinceMs).toISOString()}.`) +
        ' GET /api/platform/housekeeping names them, docs/housekeeping.md says how to rotate each.',
      evidence: { count, oldest: named.slice(0, EVIDENCE_NAMES_MAX).map(nameOf) },
    })
  }
}

const EVIDENCE_NAMES_MAX = 20
const nameOf = ({ name, tenantId }: AgedSecret) => (tenantId === undefined ? name : `${tenantId}: ${name}`)
