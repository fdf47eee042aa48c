import { isDeepStrictEqual } from 'node:util'
import { assert, assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { AuditLog } from '../audit/audit-log'
import { done, type Checklist, type ChecklistStep, type StepOutcome } from '../checklists/checklist'
import { ownPlaceOf, PLACE_KNOWN_EVERYWHERE_MS, type Move, type Places } from '../storage/places'
import type { DataPlace } from '../storage/tenant-data'
import { TenantScope } from '../storage/tenant-scope'
import { WRITE_MS_MAX } from '../storage/write-gate'
import type { Isolation } from '../tenants/tenant-record'
import type { Tenants } from '../tenants/tenants'
import { copyWhileWanted } from './copy-while-wanted'

export interface MovingInput {
  readonly data: Isolation['data']
}

export const movingName = 'moving'

export interface MovingDeps {
  readonly places: Places
  /** The place of a level of isolation, made if it has to be: an account of the tenant's own takes its time. */
  readonly placeFor: (scope: TenantScope, data: Isolation['data']) => Promise<PlaceOutcome>
  readonly tenants: Pick<Tenants, 'setDataIsolation'>
  readonly audit: AuditLog
  readonly clock: Clock
}

export type PlaceOutcome =
  { readonly kind: 'ready'; readonly place: DataPlace } | Extract<StepOutcome, { readonly kind: 'not-yet' | 'failed' }>

/** The places that need nothing made but tables and containers. */
export const placeInPlatformAccount: MovingDeps['placeFor'] = async (scope, data) => {
  switch (data) {
    case 'logical':
      return { kind: 'ready', place: { kind: 'logical' } }
    case 'container':
      return { kind: 'ready', place: ownPlaceOf(scope) }
    case 'account':
      return { kind: 'failed', problem: new Problem('conflict', 'Accounts for tenants’ data are not offered here.') }
    default:
      return assertNever(data)
  }
}

type Step = ChecklistStep<MovingInput>
const bounds = { timeoutMs: 24 * 3_600_000, attemptsMax: 20 }
/** Bounds the time in which writes wait; a longer catch-up lets them in again and begins anew. */
const FENCE_MS = 60_000
/** After the fence: writes that read the place before it are over, on instances whose clocks differ a little too. */
const LAST_WRITES_MS = WRITE_MS_MAX + 1_000

/**
 * Moves a tenant's data to a place of another isolation level while it is in use. Reads never wait; writes of the tenant's own
 * data wait for the seconds of the catch-up. Calls of models read and write none of it and notice nothing.
 */
export const movingChecklist = (deps: MovingDeps): Checklist<MovingInput> => ({
  name: movingName,
  onFailure: 'undo',
  steps: [prepareStep(deps), copyStep(deps), catchUpStep(deps), recordStep(deps), emptyStep(deps)],
})

const prepareStep = ({ places, placeFor }: MovingDeps): Step => ({
  id: 'prepare',
  ...bounds,
  do: async ({ tenantId, input, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const target = await placeFor(scope, input.data)
    if (target.kind !== 'ready') return target
    const move = await places.beginMove(scope, { operationId, to: target.place })
    if (!move) return { kind: 'failed', problem: new Problem('conflict', 'Another move of this tenant is under way.') }
    await places.prepare(scope, move.to)
    return done({ from: move.from.kind, to: move.to.kind })
  },
  undo: ({ tenantId, operationId }) => places.endMove(TenantScope.ofPlatform(tenantId), operationId),
})

const copyStep = ({ places, clock }: MovingDeps): Step => ({
  id: 'copy',
  ...bounds,
  do: async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const move = await begun(places, scope, operationId)
    return done({ copied: String(isOver(move) ? 0 : await copyWhileWanted({ places, clock }, scope, move)) })
  },
  undo: async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const move = await places.move(scope, operationId)
    // A move that failed after its switch has nothing to take back: the data is in use where it is.
    if (move && !isOver(move)) await places.empty(scope, move.to)
  },
})

const catchUpStep = ({ places, clock }: MovingDeps): Step => ({
  id: 'catch-up',
  ...bounds,
  do: async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const move = await begun(places, scope, operationId)
    if (isOver(move)) return done()
    const fencedUntilMs = clock.now() + FENCE_MS
    await places.fence(scope, operationId, fencedUntilMs)
    await clock.sleep(LAST_WRITES_MS)
    await copyWhileWanted({ places, clock }, scope, { ...move, fencedUntilMs })
    // Within this step: between two of them a crash could leave the fence to run out.
    await places.switchOver(scope, operationId)
    return done({ switchedAt: new Date(clock.now()).toISOString() })
  },
})

const recordStep = ({ tenants, audit }: MovingDeps): Step => ({
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

const emptyStep = ({ places, clock }: MovingDeps): Step => ({
  id: 'empty-old-place',
  ...bounds,
  do: async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const move = await places.move(scope, operationId)
    // Done before, by an attempt whose end was lost.
    if (!move) return done()
    const waitMs = (move.switchedAt ?? clock.now()) + PLACE_KNOWN_EVERYWHERE_MS - clock.now()
    if (!isSamePlace(move) && waitMs > 0) return { kind: 'not-yet', againAfterMs: waitMs }
    if (!isSamePlace(move)) await places.empty(scope, move.from)
    await places.endMove(scope, operationId)
    return done()
  },
})

async function begun(places: Places, scope: TenantScope, operationId: string): Promise<Move> {
  const move = await places.move(scope, operationId)
  assert(move !== undefined, 'the first step began the move')
  return move
}

/** A tenant that is already where it should go has nothing to move. */
const isOver = (move: Move) => move.switchedAt !== undefined || isSamePlace(move)
const isSamePlace = ({ from, to }: Move) => isDeepStrictEqual(from, to)
