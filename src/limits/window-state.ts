import type { BackendId, InstanceId, CallerId } from '../base/ids'
import type { OwnLimits } from '../tenants/snapshot'

/**
 * What one tenant's row says: who spent how much of which limit in which second, and what is leased out.
 * A value, never changed in place; the arithmetic over it is pure (advance-window.ts, judge-ask.ts, renew-window.ts).
 *
 * L1  Every amount of a limit is at any time in exactly one of: free, spent in a cell, or in an instance's lease.
 * L2  A cell leaves only when every moment in it is older than the window plus the clock margin.
 * L3  A lease that is not renewed in time counts as spent, whole, at its expiry.
 * L4  Only free amounts are leased out, so spent + leased never passes the limit (unless calls overran their estimate).
 */
export interface WindowState {
  /** When the row was made: tells a row from the one that replaced it after a deletion. */
  readonly bornMs: number
  /** The writer's wall time at the last change. */
  readonly asOfMs: number
  readonly holders: ReadonlyMap<InstanceId, Holder>
  readonly sections: ReadonlyMap<SectionId, Section>
}

/** An instance's hold on its leases in all sections: they are renewed, and expire, together. */
export interface Holder {
  /** Of the renewal that was written last: shows an instance whether a write without an answer has landed. */
  readonly sequence: number
  readonly expiresAtMs: number
}

/** Whose limits: the tenant's own, those of one of its keys or aliases, or what a measure leaves it of a pool of backends. */
export type SectionId = 'tenant' | CallerId | AliasSectionId | PoolSectionId
export type AliasSectionId = `alias.${string}`
export type PoolSectionId = `pool.${BackendId}`

export interface Section {
  /** By cell, oldest first; one entry a cell. */
  readonly spent: readonly Spend[]
  readonly leases: ReadonlyMap<InstanceId, Lease>
}

export interface Amount {
  readonly requests: number
  readonly tokens: number
}

export interface Spend extends Amount {
  /** Number of the sub-window since the Unix epoch. */
  readonly cell: number
}

/** `requests` and `tokens` not yet reported as spent; `slots` for calls under way or to come. */
export interface Lease extends Amount {
  readonly slots: number
}

/** The limits of a section in the words of this slice; `Infinity` where there is none. */
export type Caps = Lease
export type Resource = keyof Lease
export const resources: readonly Resource[] = ['requests', 'tokens', 'slots']

export interface WindowShape {
  readonly windowMs: number
  readonly cellMs: number
  /** How far the clocks of two instances may differ without any effect on the limit. */
  readonly skewMsMax: number
  /** How long a lease lives without renewal. */
  readonly leaseMs: number
}

/** 60 s in cells of 1 s: of a saturated limit 60 / 61.5 = 97.6 % is usable. */
export const minuteWindow: WindowShape = { windowMs: 60_000, cellMs: 1_000, skewMsMax: 500, leaseMs: 6_000 }

export const nothing: Lease = { requests: 0, tokens: 0, slots: 0 }
export const emptySection: Section = { spent: [], leases: new Map() }

export function emptyWindow(nowMs: number): WindowState {
  return { bornMs: nowMs, asOfMs: nowMs, holders: new Map(), sections: new Map() }
}

export function capsOf(limits: OwnLimits): Caps {
  return {
    requests: limits.requestsPerMinute ?? Infinity,
    tokens: limits.tokensPerMinute ?? Infinity,
    slots: limits.concurrentCalls ?? Infinity,
  }
}

export function cellAt(timeMs: number, shape: WindowShape): number {
  return Math.floor(timeMs / shape.cellMs)
}

/** The first moment at which no instance can see anything of the cell inside its window any more (L2). */
export function leavesAtMs(cell: number, shape: WindowShape): number {
  return (cell + 1) * shape.cellMs + shape.windowMs + shape.skewMsMax
}

export function isNothing(lease: Lease): boolean {
  return lease.requests === 0 && lease.tokens === 0 && lease.slots === 0
}
