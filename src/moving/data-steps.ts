import { isDeepStrictEqual } from 'node:util'
import { assert } from '../base/assert'
import { Problem } from '../base/problem'
import { done } from '../checklists/checklist'
import type { PlaceEnsured } from '../provisioning/data-places'
import { PLACE_KNOWN_EVERYWHERE_MS, type Move, type Places } from '../storage/places'
import { TenantScope } from '../storage/tenant-scope'
import { WRITE_MS_MAX } from '../storage/write-gate'
import { copyWhileWanted } from './copy-while-wanted'
import { bounds, generationOf, type MovingDeps, type MovingInput, type Step } from './moving-input'

/** Bounds the time in which writes wait; a longer catch-up lets them in again and begins anew. */
const FENCE_MS = 60_000
/** After the fence: writes that read the place before it are over, on instances whose clocks differ a little too. */
const LAST_WRITES_MS = WRITE_MS_MAX + 1_000

/** Takes the tenant for this move, and makes the place that its data is to go to. */
export const prepareStep = ({ places, dataPlaces, tenants }: MovingDeps): Step => ({
  id: 'prepare',
  ...bounds,
  do: async ({ tenantId, input, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const target = await targetOf({ places, dataPlaces, tenants }, scope, { input, operationId })
    if (target.kind !== 'ready') return target
    const move = await places.beginMove(scope, { operationId, to: target.place })
    if (!move) return { kind: 'failed', problem: new Problem('conflict', 'Another move of this tenant is under way.') }
    return done({ from: move.from.kind, to: move.to.kind })
  },
  undo: async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const move = await places.move(scope, operationId)
    // A move that failed after its switch has nothing to take back: the data is in use where it is.
    const released = move && !isOver(move) ? await dataPlaces.release(scope, move.to) : undefined
    if (released?.kind === 'not-yet') return released
    await places.endMove(scope, operationId)
    const discarded = await dataPlaces.discard(scope, generationOf(operationId))
    if (discarded.kind === 'not-yet') return discarded
    return done()
  },
})

/** Where the data is to be; where it is already, if this move is not about data. */
async function targetOf(
  { places, dataPlaces, tenants }: Pick<MovingDeps, 'places' | 'dataPlaces' | 'tenants'>,
  scope: TenantScope,
  { input: { data, stampId }, operationId }: { input: MovingInput; operationId: string },
): Promise<PlaceEnsured> {
  const begun = await places.move(scope, operationId)
  if (begun) return { kind: 'ready', place: begun.to }
  const from = await places.get(scope)
  if (data === undefined || (data === from.kind && stampId === undefined)) return { kind: 'ready', place: from }
  const record = await tenants.get(scope)
  if (!record) return { kind: 'failed', problem: new Problem('not_found', 'The tenant’s record is gone.') }
  return dataPlaces.ensure(scope, data, { record, generation: generationOf(operationId), stampId })
}

/** What is there now; what is written meanwhile comes with the catch-up. */
export const copyStep = ({ places, clock }: MovingDeps): Step => ({
  id: 'copy',
  ...bounds,
  do: async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const move = await begun(places, scope, operationId)
    return done({ copied: String(isOver(move) ? 0 : await copyWhileWanted({ places, clock }, scope, move)) })
  },
})

/** Writes wait while the rest is copied; then the new place is the tenant's. */
export const catchUpStep = ({ places, clock }: MovingDeps): Step => ({
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

/** Once no instance reads there any more; then other moves of the tenant may begin. */
export const emptyStep = ({ places, dataPlaces, clock }: MovingDeps): Step => ({
  id: 'empty-old-place',
  ...bounds,
  do: async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const move = await places.move(scope, operationId)
    // Done before, by an attempt whose end was lost.
    if (!move) return done()
    const waitMs = (move.switchedAt ?? clock.now()) + PLACE_KNOWN_EVERYWHERE_MS - clock.now()
    if (!isSamePlace(move) && waitMs > 0) return { kind: 'not-yet', againAfterMs: waitMs }
    const released = isSamePlace(move) ? undefined : await dataPlaces.release(scope, move.from)
    if (released?.kind === 'not-yet') return released
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
