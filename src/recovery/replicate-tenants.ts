import type { Alerts } from '../alerts/alerts'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { TenantScope } from '../storage/tenant-scope'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { lagMs } from './recovery-status'
import type { ReplicaStates } from './replica-state'
import { replicateRows } from './replicate-rows'
import { replicateTenant, type ReplicateTenantDeps } from './replicate-tenant'

export interface ReplicateTenantsDeps extends ReplicateTenantDeps {
  readonly states: ReplicaStates
  /** The platform's ledger of shared models. */
  readonly sharedModelRows: PartitionTable<Columns>
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
  /** From when on a replica that is behind is an operator's business. */
  readonly lagMsMax: number
  readonly log: Log
}

/** Below the interval of the timer and the time that hosts give an invocation; who is left comes first the next time. */
const RUN_MS_MAX = 4 * 60_000
const TENANTS_AT_ONCE = 4
/** Named in an alert; the status has them all. */
const NAMED_MAX = 10
const SHARED_ROWS_MAX = 100_000

export interface ReplicationDone {
  readonly whole: number
  readonly parts: number
  readonly failed: number
}

/**
 * One run of the timer: a part of every tenant's pass, on behalf of each by itself (I4). Late, twice at once or broken off: every
 * part can be repeated, and a run begins where the one before had to stop.
 */
export function createReplicateTenants(deps: ReplicateTenantsDeps): () => Promise<ReplicationDone> {
  return async () => {
    const { states, clock, log } = deps
    const endsAtMs = clock.monotonicMs() + RUN_MS_MAX
    const before = await states.run()
    const counts = { whole: 0, parts: 0, failed: 0 }
    const one = async (tenantId: TenantId) => {
      try {
        const done = await replicateTenant(deps, TenantScope.ofPlatform(tenantId))
        if (done.kind === 'whole') counts.whole++
        if (done.kind === 'part') counts.parts++
        if (done.kind === 'whole' && done.lost) await raiseLost(deps, tenantId)
      } catch (error) {
        // Of one whose data is being moved or deleted, say. The lag tells whether that goes on.
        counts.failed++
        log.warn('a tenant could not be replicated', { tenantId, error: describeError(error) })
      }
    }
    let behind: TenantId | undefined
    let some: TenantId[] = []
    for await (const tenantId of deps.tenantIds()) {
      if (before?.behind !== undefined && tenantId <= before.behind) continue
      some.push(tenantId)
      if (some.length < TENANTS_AT_ONCE) continue
      await Promise.all(some.map(one))
      some = []
      if (clock.monotonicMs() < endsAtMs) continue
      behind = tenantId
      break
    }
    await Promise.all(some.map(one))
    await replicateSharedModels(deps)
    const atMs = clock.now()
    await states.putRun({ atMs, sharedAtMs: atMs, ...(behind === undefined ? {} : { behind }) })
    await judgeLag(deps)
    return counts
  }
}

/** Ids and numbers alone: of no tenant more than of another. */
async function replicateSharedModels({ replica, sharedModelRows, goneKeptMs, clock }: ReplicateTenantsDeps) {
  await replicateRows({ rows: sharedModelRows }, replica.sharedModels, {
    from: '',
    isWanted: () => true,
    mayChange: async () => {},
    nowMs: clock.now(),
    goneKeptMs,
    looksMax: SHARED_ROWS_MAX,
    changesMax: SHARED_ROWS_MAX,
  })
}

const LAG_ALERT = 'recovery-lag'

async function judgeLag({ states, alerts, lagMsMax, clock }: ReplicateTenantsDeps): Promise<void> {
  const behind: string[] = []
  let most = 0
  for await (const { tenantId, state } of states.every()) {
    const lag = lagMs(state, clock.now())
    if (lag === undefined || lag <= lagMsMax) continue
    behind.push(tenantId)
    most = Math.max(most, lag)
  }
  if (behind.length === 0) return alerts.resolve(LAG_ALERT)
  const names = behind.slice(0, NAMED_MAX).join(', ')
  await alerts.raise({
    id: LAG_ALERT,
    kind: 'recovery-lag',
    severity: 'warning',
    tenantId: undefined,
    title: `The replicas of ${behind.length} tenants are behind`,
    detail: `The longest by ${Math.round(most / 60_000)} minutes; more than ${Math.round(lagMsMax / 60_000)} would be lost with the first region. Whose: ${names}${behind.length > NAMED_MAX ? ' and others' : ''}. Look whether the paired account is reached and the timer runs (GET /api/platform/recovery; docs/disaster-recovery.md).`,
  })
}

const raiseLost = ({ alerts, goneKeptMs }: ReplicateTenantsDeps, tenantId: TenantId) =>
  alerts.raise({
    id: `recovery-loss/${tenantId}`,
    kind: 'recovery-loss',
    severity: 'critical',
    tenantId,
    title: 'Most of a tenant’s models and training data are missing',
    detail: `They were replicated, and are not in the first region any more. The replica keeps them for ${Math.round(goneKeptMs / 3_600_000)} hours from now. Unless the tenant has deleted them: POST /api/platform/tenants/${tenantId}/recovery/restore (docs/disaster-recovery.md).`,
  })
