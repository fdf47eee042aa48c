import { z } from 'zod'
import type { Alerts } from '../alerts/alerts'
import type { AuditLog } from '../audit/audit-log'
import { Problem } from '../base/problem'
import { done, type Checklist, type ChecklistStep } from '../checklists/checklist'
import { ABOVE_EVERY_ROW_KEY } from '../storage/place-contents'
import type { Places } from '../storage/places'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantTable } from '../storage/tenant-table'
import type { Tenants } from '../tenants/tenants'
import { leftOutOf, leftOutText } from './left-out'
import type { Replica, ReplicatedTable } from './replica'
import type { ReplicaStates } from './replica-state'
import { restoreRows, type Restored } from './restore-rows'

export const restoreName = 'restore'

export const restoreInput = z.strictObject({
  lostSince: z.iso
    .datetime({ offset: true, error: 'Must be a time such as "2027-01-31T00:00:00Z"' })
    .transform((text) => Date.parse(text))
    .optional()
    .meta({
      description:
        'What the replica missed before was deleted, and stays so. Absent: everything comes back that the replica still has.',
    }),
})
/** `lostSince` in Unix milliseconds. */
export type RestoreInput = z.infer<typeof restoreInput>

export interface RestoreDeps {
  readonly replica: Replica | undefined
  readonly states: Pick<ReplicaStates, 'get'>
  readonly places: Pick<Places, 'get' | 'prepare' | 'toChange'>
  readonly tables: Readonly<Record<ReplicatedTable, TenantTable<Columns>>>
  readonly sharedModelRows: PartitionTable<Columns>
  readonly tenants: Pick<Tenants, 'get'>
  readonly alerts: Pick<Alerts, 'raise'>
  readonly audit: AuditLog
}

type Step = ChecklistStep<RestoreInput>
const bounds = { timeoutMs: 24 * 3_600_000, attemptsMax: 20 }
/** In one go of a step; hosts end activities that run for many minutes. */
const ROWS_AT_ONCE = 1_000
/** Named in an alert. */
const NAMED_MAX = 10

/**
 * Brings back what is missing of a tenant's models and their training data, as the sealed bytes that were replicated. Nothing that is
 * there is written over, so it can be repeated, and there is nothing to undo: keys first, since they open the rest.
 */
export const restoreChecklist = (deps: RestoreDeps): Checklist<RestoreInput> => ({
  name: restoreName,
  onFailure: 'stop',
  steps: [keysStep(deps), recordsStep(deps), auditStep(deps)],
})

const keysStep = (deps: RestoreDeps): Step => ({
  id: 'keys',
  ...bounds,
  do: async ({ tenantId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const fault = await whyNoRestore(deps, scope)
    if (fault || !deps.replica) return { kind: 'failed', problem: fault ?? noReplica }
    const { replica, tables, sharedModelRows } = deps
    const keys = { rows: tables.datakeys.partition(scope) }
    if (await hasOtherKeys(keys.rows, replica.table(scope, 'datakeys').rows))
      return { kind: 'failed', problem: otherKeys }
    const how = howOf(input, Number.MAX_SAFE_INTEGER)
    const restored = await restoreRows(replica.table(scope, 'datakeys'), keys, how)
    await restoreRows(replica.table(scope, 'sharedparts'), { rows: tables.sharedparts.partition(scope) }, how)
    await restoreRows(replica.sharedModels, { rows: sharedModelRows }, how)
    return done({ keys: String(restored.restored) })
  },
})

const recordsStep = (deps: RestoreDeps): Step => ({
  id: 'records',
  ...bounds,
  do: async ({ tenantId, input, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const { replica, places } = deps
    const state = (await deps.states.get(scope))?.state
    const record = await deps.tenants.get(scope)
    if (!replica || !record) return { kind: 'failed', problem: noReplica }
    // By the tenant's record where what is known of the replica is lost as well.
    const place = state?.place ?? (record.isolation.data === 'container' ? 'container' : 'logical')
    if (place === 'container') await replica.prepare(scope, place)
    // Tables of its own may be what was lost.
    await places.prepare(scope, await places.get(scope))
    const { tables, containers } = await places.toChange(scope)
    const target = { rows: tables.content, blobs: containers.content }
    const restored = await restoreRows(await replica.content(scope, place), target, howOf(input, ROWS_AT_ONCE))
    if (!restored.isDone) return { kind: 'not-yet', againAfterMs: 0 }
    if (restored.damaged.length > 0) await raiseDamaged(deps, scope, { operationId, restored })
    return done({
      records: String(restored.present + restored.restored),
      deleted: String(restored.deleted),
      damaged: String(restored.damaged.length),
    })
  },
})

const auditStep = ({ audit }: RestoreDeps): Step => ({
  id: 'audit',
  ...bounds,
  do: async ({ tenantId, operationId }) => {
    await audit.append(TenantScope.ofPlatform(tenantId), {
      actor: { kind: 'orchestration', id: operationId },
      action: 'recovery.restore',
      target: tenantId,
      outcome: 'done',
      requestId: operationId,
    })
    return done()
  },
})

const howOf = ({ lostSince }: RestoreInput, rowsMax: number) => ({
  lostSinceMs: lostSince,
  rowsMax,
})

/** Undefined where there may be something to bring back. */
export async function whyNoRestore(
  { replica, tenants }: Pick<RestoreDeps, 'replica' | 'tenants'>,
  scope: TenantScope,
): Promise<Problem | undefined> {
  if (!replica) return noReplica
  const record = await tenants.get(scope)
  if (!record) return new Problem('not_found', 'The tenant’s record is gone; what a replica has belongs to nobody.')
  const leftOut = leftOutOf(record, replica.region)
  return leftOut && new Problem('conflict', `The tenant has no replica. ${leftOutText[leftOut]}`)
}

/** A version of one number with another key: what the replica has would not open with it. */
async function hasOtherKeys(here: Rows, there: Rows): Promise<boolean> {
  const known = new Map<string, unknown>()
  for await (const { rowKey, columns } of here.range('', ABOVE_EVERY_ROW_KEY)) known.set(rowKey, columns['madeAt'])
  for await (const { rowKey, columns } of there.range('', ABOVE_EVERY_ROW_KEY))
    if (known.has(rowKey) && known.get(rowKey) !== columns['madeAt']) return true
  return false
}

type Rows = Pick<PartitionTable<Columns>, 'range'>

const raiseDamaged = (
  { alerts }: RestoreDeps,
  { tenantId }: TenantScope,
  { operationId, restored: { damaged } }: { operationId: string; restored: Restored },
) =>
  alerts.raise({
    id: `recovery-damaged/${operationId}`,
    kind: 'recovery-damaged',
    severity: 'critical',
    tenantId,
    title: `${damaged.length} replicated records of ${tenantId} are damaged`,
    detail: `They are not what was copied, and were not brought back: ${damaged.slice(0, NAMED_MAX).join(', ')}.`,
  })

const noReplica = new Problem('conflict', 'Nothing is replicated: no paired storage account is set up.')

const otherKeys = new Problem(
  'conflict',
  'The tenant has another data key by now than the one that its replica is sealed with. Nothing was changed.',
)
