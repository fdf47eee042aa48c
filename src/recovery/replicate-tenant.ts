import type { Clock } from '../base/clock'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { Places } from '../storage/places'
import type { Tenants } from '../tenants/tenants'
import { leftOutOf } from './left-out'
import type { Replica, ReplicaPlace, ReplicatedTable } from './replica'
import type { ReplicaPass, ReplicaState, ReplicaStates } from './replica-state'
import { replicateRows, type ReplicateBounds, type RowStore } from './replicate-rows'
import { replicatedRecords, type ReferenceReaders } from './replicated-records'
import { whileWanted, type Wanted } from './while-wanted'

export interface ReplicateTenantDeps {
  readonly replica: Replica
  readonly states: Pick<ReplicaStates, 'get' | 'put'>
  readonly places: Pick<Places, 'get' | 'contents'>
  /** Those of the platform in which tenants have rows. */
  readonly tables: Readonly<Record<ReplicatedTable, TenantTable<Columns>>>
  readonly tenants: Pick<Tenants, 'get'>
  readonly readers: ReferenceReaders
  /** How long what a tenant has no more stays in the replica. */
  readonly goneKeptMs: number
  readonly clock: Clock
}

/** Of one tenant in one run: who has more goes on in the next, so that nobody waits long for one with much to copy. */
const LOOKS_MAX = 50_000
const CHANGES_MAX = 1_000
/** What is copied or compared of the small tables: a key for each rotation, a row for each shared model. */
const ROWS_MAX = 10_000

export type ReplicatedTenant =
  | { readonly kind: 'whole'; readonly lost: boolean }
  /** There is more: the next run goes on. */
  | { readonly kind: 'part' }
  | { readonly kind: 'left-out' }
  /** Another instance is at it. */
  | { readonly kind: 'taken' }

/**
 * One part of a pass over a tenant's records. Invariants:
 * D1 Nothing of a tenant is written to the replica later than `WRITE_MS_MAX` after its record was seen to allow it: so what
 *    offboarding removes after its grace stays removed.
 * D2 Whoever works on a tenant's replica has its state by compare-and-swap; of two at once one stops at its next state.
 * D3 `fullAtMs` rises only with a pass that has looked at everything, and is the time of that pass's beginning.
 */
export async function replicateTenant(deps: ReplicateTenantDeps, scope: TenantScope): Promise<ReplicatedTenant> {
  const { states, replica, clock } = deps
  const record = await deps.tenants.get(scope)
  // One without a record is a creation that got no further, or gone.
  if (!record) return { kind: 'left-out' }
  const nowMs = clock.now()
  const known = await states.get(scope)
  const leftOut = leftOutOf(record, replica.region)
  if (leftOut !== undefined) {
    // What offboarding deletes is its own to delete; a tenant that may no longer be here goes at once.
    if (leftOut !== 'not-active' && known?.state.place) await replica.remove(scope)
    if (leftOut !== 'not-active' && known?.state.leftOut !== leftOut)
      await states.put(scope, { leftOut, sinceMs: nowMs, records: 0 }, known?.etag)
    return { kind: 'left-out' }
  }
  const place: ReplicaPlace = record.isolation.data === 'container' ? 'container' : 'logical'
  const before = known?.state.leftOut === undefined ? known?.state : undefined
  const isMoved = before?.place !== undefined && before.place !== place
  const begun: ReplicaState = {
    place,
    sinceMs: before?.sinceMs ?? nowMs,
    records: before?.records ?? 0,
    ...(before?.fullAtMs === undefined ? {} : { fullAtMs: before.fullAtMs }),
    pass: isMoved || !before?.pass ? freshPass(nowMs) : before.pass,
  }
  const etag = await states.put(scope, begun, known?.etag)
  if (etag === undefined) return { kind: 'taken' }
  if (place === 'container') await replica.prepare(scope, place)
  return whileWanted(deps, scope, (wanted) => goOn(deps, scope, { state: begun, etag, place, wanted }))
}

const freshPass = (sinceMs: number): ReplicaPass => ({ sinceMs, cursor: '', records: 0, copied: 0, gone: 0 })

async function goOn(
  deps: ReplicateTenantDeps,
  scope: TenantScope,
  { state, etag, place, wanted }: { state: ReplicaState; etag: string; place: ReplicaPlace; wanted: Wanted },
): Promise<ReplicatedTenant> {
  const { replica, states, goneKeptMs, clock } = deps
  const pass = state.pass ?? freshPass(clock.now())
  const { mayChange, signal } = wanted
  const bounds = { from: '', mayChange, nowMs: clock.now(), goneKeptMs, looksMax: ROWS_MAX, changesMax: ROWS_MAX }
  const everything = { ...bounds, isWanted: () => true }
  // Before what they open, and once more behind it: a key that was made meanwhile has sealed some of it.
  await replicateTable(deps, scope, { name: 'datakeys', bounds: everything, signal })
  const records = await replicatedRecords(deps.readers, scope)
  const source = await contentOf(deps, scope)
  const part = await replicateRows(source, await replica.content(scope, place, signal), {
    ...bounds,
    from: pass.cursor,
    isWanted: records.has,
    looksMax: LOOKS_MAX,
    changesMax: CHANGES_MAX,
  })
  const next = {
    ...pass,
    records: pass.records + part.kept,
    copied: pass.copied + part.copied,
    gone: pass.gone + part.gone,
  }
  if (part.next !== undefined) {
    const kept = await states.put(scope, { ...state, pass: { ...next, cursor: part.next } }, etag)
    return { kind: kept === undefined ? 'taken' : 'part' }
  }
  await replicateTable(deps, scope, { name: 'sharedparts', bounds: everything, signal })
  await replicateTable(deps, scope, { name: 'datakeys', bounds: everything, signal })
  await replica.removeBut(scope, place)
  const { pass: _, ...whole } = state
  const kept = await states.put(scope, { ...whole, fullAtMs: pass.sinceMs, records: next.records }, etag)
  // Most of what was there is missing at once: nobody deletes like that, and the replica may be all that is left.
  const lost = next.gone >= LOST_MIN && next.gone > next.records / 2
  return kept === undefined ? { kind: 'taken' } : { kind: 'whole', lost }
}

/** So few may well have been deleted by their tenant. */
const LOST_MIN = 10

async function contentOf({ places }: ReplicateTenantDeps, scope: TenantScope): Promise<RowStore> {
  const { tables, containers } = await places.contents(scope, await places.get(scope))
  return { rows: tables.content, blobs: containers.content }
}

async function replicateTable(
  { tables, replica }: ReplicateTenantDeps,
  scope: TenantScope,
  { name, bounds, signal }: { name: ReplicatedTable; bounds: ReplicateBounds; signal: AbortSignal },
): Promise<void> {
  await replicateRows({ rows: tables[name].partition(scope) }, replica.table(scope, name, signal), bounds)
}
