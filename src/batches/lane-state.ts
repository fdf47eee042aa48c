import type { BatchId, TenantId } from '../base/ids'

/**
 * Who has a batch under way at one deployment, and who waits. A value, never changed in place.
 *
 * F1  At most `batchesMax` batches are under way, and at most `perTenantMax` of one tenant.
 * F2  Turns go by start-time fair queueing (as I15): a tenant's virtual time advances by the tokens of its batches ÷ its weight;
 *     one that was idle begins at the present virtual time and gains no credit.
 * F3  Who does not come back when it said it would is passed over, and gone after `GONE_AFTER_MS` more; a place is never lost
 *     to a crash for ever.
 */
export interface LaneState {
  readonly running: readonly LaneEntry[]
  readonly waiting: readonly WaitingEntry[]
  /** Start tag of the last batch that had its turn. */
  readonly virtualTime: number
  /** Up to where each tenant's turns so far reach; only what lies ahead of the virtual time is kept. */
  readonly finished: Readonly<Record<TenantId, number>>
}

export interface LaneEntry {
  readonly batchId: BatchId
  readonly tenantId: TenantId
  /** Unix milliseconds by which it asks again. */
  readonly againMs: number
}

export interface WaitingEntry extends LaneEntry {
  readonly tokens: number
  readonly weight: number
}

export interface TurnAsked extends WaitingEntry {
  readonly nowMs: number
}

export interface LaneBounds {
  readonly batchesMax: number
  readonly perTenantMax: number
}

export const emptyLane: LaneState = { running: [], waiting: [], virtualTime: 0, finished: {} }

/** Later than it said by this much, a batch that waits is passed over: hosts and timers are late now and then. */
const LATE_MS = 30_000
/** A batch that neither asks nor leaves for so long is under way nowhere. */
export const GONE_AFTER_MS = 6 * 3_600_000
/** A row has 1 MiB: more wait outside, in no order, until there is room. */
export const WAITING_MAX = 2_000

/** Enters the batch, or refreshes its place, and gives it its turn if that has come. Pure. */
export function askTurn(
  state: LaneState,
  asked: TurnAsked,
  bounds: LaneBounds,
): { readonly lane: LaneState; readonly hasTurn: boolean } {
  const { nowMs, ...entry } = asked
  const { batchId, tenantId, againMs } = entry
  const known = withoutGone(state, nowMs)
  if (known.running.some((running) => running.batchId === batchId)) {
    const running = known.running.map((each) => (each.batchId === batchId ? { ...each, againMs } : each))
    return { lane: { ...known, running }, hasTurn: true }
  }
  const isKnown = known.waiting.some((each) => each.batchId === batchId)
  if (!isKnown && known.waiting.length >= WAITING_MAX) return { lane: known, hasTurn: false }
  const waiting = isKnown
    ? known.waiting.map((each) => (each.batchId === batchId ? entry : each))
    : [...known.waiting, entry]
  const lane = { ...known, waiting }
  const start = turnsOf(lane, bounds, nowMs).get(batchId)
  if (start === undefined) return { lane, hasTurn: false }
  return {
    hasTurn: true,
    lane: {
      running: [...lane.running, { batchId, tenantId, againMs }],
      waiting: waiting.filter((each) => each.batchId !== batchId),
      virtualTime: Math.max(lane.virtualTime, start),
      finished: aheadOf(Math.max(lane.virtualTime, start), {
        ...lane.finished,
        [tenantId]: start + entry.tokens / entry.weight,
      }),
    },
  }
}

/** The same state where there is none of them. */
export function leaveLane(state: LaneState, isGone: (entry: LaneEntry) => boolean): LaneState {
  const running = state.running.filter((entry) => !isGone(entry))
  const waiting = state.waiting.filter((entry) => !isGone(entry))
  const isSame = running.length === state.running.length && waiting.length === state.waiting.length
  return isSame ? state : { ...state, running, waiting }
}

/** What the lane knows of a tenant goes with it. */
export function forgetTenant(state: LaneState, tenantId: TenantId): LaneState {
  const left = leaveLane(state, (entry) => entry.tenantId === tenantId)
  if (!Object.hasOwn(left.finished, tenantId)) return left
  const { [tenantId]: _, ...finished } = left.finished
  return { ...left, finished }
}

/** The waiting batches for which there is a place now, in the order of their start tags, by those tags. */
function turnsOf(
  { running, waiting, virtualTime, finished }: LaneState,
  { batchesMax, perTenantMax }: LaneBounds,
  nowMs: number,
): ReadonlyMap<BatchId, number> {
  const underWay = new Map<TenantId, number>()
  for (const { tenantId } of running) underWay.set(tenantId, (underWay.get(tenantId) ?? 0) + 1)
  const reached = new Map<TenantId, number>()
  const present = waiting.filter(({ againMs }) => againMs + LATE_MS >= nowMs)
  const turns = new Map<BatchId, number>()
  for (let places = batchesMax - running.length; places > 0; places--) {
    let next: WaitingEntry | undefined
    let nextStart = Infinity
    // Of a tenant's own the oldest comes first; ids sort by age.
    for (const entry of present) {
      if (turns.has(entry.batchId) || (underWay.get(entry.tenantId) ?? 0) >= perTenantMax) continue
      const start = Math.max(virtualTime, reached.get(entry.tenantId) ?? finished[entry.tenantId] ?? 0)
      if (start > nextStart || (start === nextStart && next && entry.batchId > next.batchId)) continue
      next = entry
      nextStart = start
    }
    if (!next) break
    turns.set(next.batchId, nextStart)
    reached.set(next.tenantId, nextStart + next.tokens / next.weight)
    underWay.set(next.tenantId, (underWay.get(next.tenantId) ?? 0) + 1)
  }
  return turns
}

const withoutGone = (state: LaneState, nowMs: number) =>
  leaveLane(state, ({ againMs }) => againMs + GONE_AFTER_MS < nowMs)

const aheadOf = (virtualTime: number, finished: LaneState['finished']): LaneState['finished'] =>
  Object.fromEntries(Object.entries(finished).filter(([, tag]) => tag > virtualTime))
