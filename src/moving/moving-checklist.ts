import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { AuditLog } from '../audit/audit-log'
import { done, type Checklist, type ChecklistStep } from '../checklists/checklist'
import { ownPlaceOf, type Places } from '../storage/places'
import type { DataPlace } from '../storage/tenant-data'
import { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import { copyPlace } from './copy-place'

export interface MovingInput {
  readonly data: 'logical' | 'container'
}

export const movingName = 'moving'

export interface MovingDeps {
  readonly places: Places
  readonly tenants: Tenants
  readonly audit: AuditLog
  readonly clock: Clock
  /** How long after the switch other instances may still read in the place that was left. */
  readonly graceMs: number
}

type Step = ChecklistStep<MovingInput>
const bounds = { timeoutMs: 24 * 3_600_000, attemptsMax: 20 }
/** Bounds the time in which writes are refused; a longer catch-up lets them in again and begins anew. */
const FENCE_MS = 60_000
/** A write that was let in before the fence has ended by then. */
const LAST_WRITES_MS = 1_000

/**
 * Moves a tenant's data to a place of another isolation level while it is in use. Reads never wait; writes of the tenant's own
 * data are refused, retryably, for the seconds of the catch-up. Calls of models read and write none of it and notice nothing.
 */
export const movingChecklist = (deps: MovingDeps): Checklist<MovingInput> => ({
  name: movingName,
  onFailure: 'undo',
  steps: [prepareStep(deps), copyStep(deps), catchUpStep(deps), switchStep(deps), emptyStep(deps)],
})

const targetOf = (scope: TenantScope, { data }: MovingInput): DataPlace =>
  data === 'logical' ? { kind: 'logical' } : ownPlaceOf(scope)

const prepareStep = ({ places }: MovingDeps): Step => ({
  id: 'prepare',
  ...bounds,
  do: async ({ tenantId, input, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const target = targetOf(scope, input)
    if (!(await places.reserve(scope, operationId)))
      return { kind: 'failed', problem: new Problem('conflict', 'Another move of this tenant is under way.') }
    await places.prepare(scope, target)
    return done({ from: (await places.get(scope)).kind, to: target.kind })
  },
  undo: ({ tenantId, operationId }) => places.release(TenantScope.ofPlatform(tenantId), operationId),
})

const copyStep = ({ places }: MovingDeps): Step => ({
  id: 'copy',
  ...bounds,
  do: async ({ tenantId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const [from, target] = [await places.get(scope), targetOf(scope, input)]
    if (from.kind === target.kind) return done({ copied: '0' })
    const copied = await copyPlace(await places.at(scope, from), await places.at(scope, target))
    return done({ copied: String(copied) })
  },
  undo: async ({ tenantId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const target = targetOf(scope, input)
    // A move that failed after its switch has nothing to take back there: the data is in use.
    if ((await places.get(scope)).kind !== target.kind) await places.empty(scope, target)
  },
})

const catchUpStep = ({ places, clock }: MovingDeps): Step => ({
  id: 'catch-up',
  ...bounds,
  do: async ({ tenantId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const [from, target] = [await places.get(scope), targetOf(scope, input)]
    if (from.kind === target.kind) return done()
    const untilMs = clock.now() + FENCE_MS
    await places.fence(scope, untilMs)
    await clock.sleep(LAST_WRITES_MS)
    await copyPlace(await places.at(scope, from), await places.at(scope, target))
    // Switched within this step: between two steps a crash could leave the fence to run out.
    if (clock.now() >= untilMs) throw new Error('the catch-up took longer than the fence holds')
    await places.set(scope, target)
    return done({ switchedAt: new Date(clock.now()).toISOString() })
  },
  undo: ({ tenantId }) => places.fence(TenantScope.ofPlatform(tenantId), 0),
})

const switchStep = ({ tenants, audit }: MovingDeps): Step => ({
  id: 'record',
  ...bounds,
  do: async ({ tenantId, operationId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const moved = await tenants.setDataIsolation(scope, input.data)
    if (moved instanceof Problem) return { kind: 'failed', problem: moved }
    await audit.append(scope, {
      actor: { kind: 'orchestration', id: operationId },
      action: 'moving.switch',
      target: tenantId,
      outcome: 'done',
      requestId: operationId,
      details: { data: input.data },
    })
    return done()
  },
})

const emptyStep = ({ places, graceMs, clock }: MovingDeps): Step => ({
  id: 'empty-old-place',
  ...bounds,
  do: async ({ tenantId, input, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const waitMs = (await places.switchedAt(scope)) + graceMs - clock.now()
    if (waitMs > 0) return { kind: 'not-yet', againAfterMs: waitMs }
    await places.empty(scope, input.data === 'logical' ? ownPlaceOf(scope) : { kind: 'logical' })
    await places.release(scope, operationId)
    return done()
  },
})
