import type { InstanceId } from '../base/ids'
import type { LimitName } from './limiter'
import {
  cellAt,
  emptySection,
  leavesAtMs,
  resources,
  type Caps,
  type Lease,
  type Resource,
  type Section,
  type SectionId,
  type WindowShape,
  type WindowState,
} from './window-state'

/** One call's wish: one request, one slot and so many tokens, in each of the sections. */
export interface Ask {
  readonly sections: readonly SectionId[]
  readonly tokens: number
}

export type Verdict =
  | { readonly kind: 'granted' }
  | Refusal
  /** The row has no place for one more key or instance (see `renew-window.ts`). */
  | { readonly kind: 'full' }

export interface Refusal {
  readonly kind: 'refused'
  readonly section: SectionId
  readonly limit: LimitName
  /** Until the same ask fits if nobody else spends, refunds or returns anything; 1 to the window's length. */
  readonly waitMs: number
}

/** Where the judging instance itself stands in a section. */
export interface Standing {
  readonly caps: Caps
  /** Leased and unspent; negative after a call overran its estimate by more than was left. */
  readonly held: Lease
  readonly slotsInUse: number
  /** How long a call has kept its slot lately: the estimate of the wait for one. */
  readonly slotWaitMs: number
}

/** What of a section's limits this instance can reach: what is free in the row and what it holds itself. */
export interface Room {
  readonly standing: Standing
  readonly section: Section
  readonly left: { requests: number; tokens: number; slots: number }
  /** Given to earlier asks of the same batch. */
  readonly taken: { requests: number; tokens: number; slots: number }
}

export interface Judging {
  readonly state: WindowState
  readonly instanceId: InstanceId
  readonly nowMs: number
  readonly shape: WindowShape
}

const limitNames: Readonly<Record<Resource, LimitName>> = {
  requests: 'requestsPerMinute',
  tokens: 'tokensPerMinute',
  slots: 'concurrentCalls',
}

/**
 * `state` may be older than `nowMs`: cells that have left meanwhile do not count.
 * Unspent tokens of one's own lease are room; the rest of it (spent, not yet reported) is not.
 */
export function roomOf(sectionId: SectionId, standing: Standing, { state, instanceId, nowMs, shape }: Judging): Room {
  const section = state.sections.get(sectionId) ?? emptySection
  const { caps, held } = standing
  const left = { requests: caps.requests, tokens: caps.tokens, slots: caps.slots - standing.slotsInUse }
  for (const { cell, requests, tokens } of section.spent) {
    if (leavesAtMs(cell, shape) <= nowMs) continue
    left.requests -= requests
    left.tokens -= tokens
  }
  for (const [holderId, lease] of section.leases) {
    left.requests -= lease.requests
    left.tokens -= lease.tokens
    if (holderId !== instanceId) left.slots -= lease.slots
  }
  left.requests += held.requests
  left.tokens += held.tokens
  return { standing, section, left, taken: { requests: 0, tokens: 0, slots: 0 } }
}

/** Whether the ask fits in all of its sections at once; if it does not, the limit that makes it wait longest. */
export function judgeAsk(ask: Ask, rooms: ReadonlyMap<SectionId, Room>, judging: Judging): Verdict {
  let refusal: Refusal | undefined
  for (const sectionId of ask.sections) {
    const room = rooms.get(sectionId)
    if (!room) return { kind: 'full' }
    for (const resource of resources) {
      const shortBy = costOf(ask, resource) - room.left[resource]
      if (shortBy <= 0) continue
      const waitMs = waitFor(shortBy, resource, room, judging)
      if (refusal && waitMs <= refusal.waitMs) continue
      refusal = { kind: 'refused', section: sectionId, limit: limitNames[resource], waitMs }
    }
  }
  return refusal ?? { kind: 'granted' }
}

/** Books a granted ask, so that the next one of the batch sees what is left. */
export function takeRoom(ask: Ask, rooms: ReadonlyMap<SectionId, Room>): void {
  for (const sectionId of ask.sections) {
    const room = rooms.get(sectionId)
    if (!room) continue
    for (const resource of resources) {
      room.left[resource] -= costOf(ask, resource)
      room.taken[resource] += costOf(ask, resource)
    }
  }
}

/** When the last of what is spent or leased now will have left: the window is empty then if nobody spends more. */
export function emptyAtMs(sectionId: SectionId, { state, shape }: Judging): number {
  const section = state.sections.get(sectionId) ?? emptySection
  let lastMs = 0
  for (const { cell } of section.spent) lastMs = Math.max(lastMs, leavesAtMs(cell, shape))
  for (const instanceId of section.leases.keys()) {
    lastMs = Math.max(lastMs, leavesAtMs(cellAt(state.holders.get(instanceId)?.expiresAtMs ?? 0, shape), shape))
  }
  return lastMs
}

function costOf(ask: Ask, resource: Resource): number {
  return resource === 'tokens' ? ask.tokens : 1
}

function waitFor(shortBy: number, resource: Resource, room: Room, judging: Judging): number {
  const waitMs =
    resource === 'slots' ? room.standing.slotWaitMs : waitUntilLeft(shortBy, leavings(resource, room, judging), judging)
  return Math.min(Math.max(1, Math.ceil(waitMs)), judging.shape.windowMs)
}

interface Leaving {
  readonly atMs: number
  readonly amount: number
}

/** The shortest time until cells that hold `shortBy` together have left; the window's length if that never happens. */
function waitUntilLeft(shortBy: number, coming: readonly Leaving[], { nowMs, shape }: Judging): number {
  let left = 0
  for (const { atMs, amount } of coming) {
    left += amount
    if (left >= shortBy) return atMs - nowMs
  }
  return shape.windowMs
}

/** What will leave the window and when, soonest first. Others' leases count as spent at their expiry: they may be. */
function leavings(resource: keyof Lease & ('requests' | 'tokens'), room: Room, judging: Judging): readonly Leaving[] {
  const { state, instanceId, nowMs, shape } = judging
  const coming: Leaving[] = []
  for (const spend of room.section.spent) {
    const atMs = leavesAtMs(spend.cell, shape)
    if (atMs > nowMs) coming.push({ atMs, amount: spend[resource] })
  }
  for (const [holderId, lease] of room.section.leases) {
    const atMs = leavesAtMs(cellAt(state.holders.get(holderId)?.expiresAtMs ?? nowMs, shape), shape)
    const own = holderId === instanceId
    // What this instance still holds is room already, so it cannot free anything by leaving.
    coming.push({ atMs, amount: lease[resource] - (own ? Math.max(0, room.standing.held[resource]) : 0) })
  }
  coming.push({ atMs: leavesAtMs(cellAt(nowMs, shape), shape), amount: room.taken[resource] })
  return coming.sort((a, b) => a.atMs - b.atMs)
}
