import { parseBatchId, type BatchId, type InstanceId } from '../base/ids'
import { assert } from '../base/assert'
import { done, type Operation, type StepOutcome, type UndoOutcome } from '../checklists/checklist'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import type { BatchDeps, BatchInput, BatchStep } from './batch-deps'
import {
  batchFault,
  COMPLETION_WINDOW_MS,
  ending,
  type BatchEnd,
  type BatchFault,
  type BatchRecord,
} from './batch-record'

/** One batch as its steps have it. */
export interface BatchRun {
  readonly scope: TenantScope
  readonly id: BatchId
  readonly record: BatchRecord
  /** When this step began, Unix milliseconds. */
  readonly stepStartedAt: number
}

type Do = (operation: Operation<BatchInput>) => Promise<StepOutcome>

/** A batch whose record is gone, with its tenant, has nothing to do any more. */
export const onBatch =
  (deps: BatchDeps, work: (run: BatchRun) => Promise<StepOutcome>): Do =>
  async ({ tenantId, operationId, stepStartedAt }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const id = batchIdOf(operationId)
    const record = await deps.store.get(scope, id)
    return record ? work({ scope, id, record, stepStartedAt }) : done()
  }

/** The same for a step that is only taken while the batch is to be sent: by a tenant that is active, within its window. */
export const onBatchToSend = (
  deps: BatchDeps,
  work: (run: BatchRun & { readonly tenant: TenantSnapshot }) => Promise<StepOutcome>,
): Do =>
  onBatch(deps, async (run) => {
    const { scope, record } = run
    if (record.end) return done()
    const tenant = await deps.tenantOf(scope.tenantId)
    // Whoever goes wants nothing more to be made.
    if (!tenant || tenant.state === 'offboarding') return end(deps, run, 'cancelled')
    if (deps.clock.now() >= record.createdAt + COMPLETION_WINDOW_MS) return end(deps, run, 'expired', lateFault)
    if (tenant.state !== 'active') return { kind: 'not-yet', againAfterMs: pauseMs(deps, run) }
    return work({ ...run, tenant })
  })

const lateFault = batchFault('batch_expired', 'The batch could not be begun within 24 hours.')

/** What is undone of a batch whose checklist gave up. */
export const undoOf =
  (
    deps: Pick<BatchDeps, 'store'>,
    work: (run: Omit<BatchRun, 'stepStartedAt'>) => Promise<UndoOutcome | void>,
  ): NonNullable<BatchStep['undo']> =>
  async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const id = batchIdOf(operationId)
    const record = await deps.store.get(scope, id)
    return record && work({ scope, id, record })
  }

/** Decides how the batch ends; the steps that send pass it over, those that tidy up go on. */
export async function end(
  { store }: Pick<BatchDeps, 'store'>,
  { scope, id }: Pick<BatchRun, 'scope' | 'id'>,
  how: BatchEnd,
  ...faults: readonly BatchFault[]
): Promise<StepOutcome> {
  await store.change(scope, id, (record) => ending(record, how, faults))
  return done()
}

function batchIdOf(operationId: string): BatchId {
  const id = parseBatchId(operationId)
  assert(id, 'a batch’s checklist runs under its own id')
  return id
}

/** By which name a batch holds what it has reserved of budgets, where instances hold their leases. */
export const holderOf = (id: BatchId): InstanceId => `ins_${id.slice('batch_'.length)}`

const PAUSE_SHARE_OF_AGE = 1 / 20
const PAUSES_MAX = 5

/**
 * Until the batch is looked at again: the longer a step has taken, the longer, so that the history of a batch that runs a day
 * stays short and its end is still seen within a twentieth of its time, or `PAUSES_MAX` pauses.
 */
export function pauseMs({ pollMs, clock }: Pick<BatchDeps, 'pollMs' | 'clock'>, { stepStartedAt }: BatchRun): number {
  const ageMs = clock.now() - stepStartedAt
  return Math.round(Math.min(Math.max(pollMs, ageMs * PAUSE_SHARE_OF_AGE), pollMs * PAUSES_MAX))
}
