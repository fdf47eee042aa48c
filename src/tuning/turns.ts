import type { TenantId, TuningJobId } from '../base/ids'

/**
 * Who trains at one account, and who waits. A value, never changed in place.
 *
 * F1  At most `jobsMax` jobs train, and at most `perTenantMax` of one tenant.
 * F2  Turns go by start-time fair queueing (as I15): a tenant's virtual time advances by the tokens of its jobs ÷ its weight; one
 *     that was idle begins at the present virtual time and gains no credit.
 * F3  A tenant that has waited for `STARVING_MS` since its job came, or since its last turn there, comes before all that have not,
 *     the longest wait first. So nobody waits longer than that and one turn of each tenant that waits as long; and whoever fills
 *     the queue is not served faster for it, since each turn of its own begins its wait anew.
 * F4  Who does not come back when it said it would is passed over, and gone after `GONE_AFTER_MS` more; a place is never lost to a
 *     crash for ever.
 */
export interface TurnState {
  readonly running: readonly TurnEntry[]
  readonly waiting: readonly WaitingJob[]
  /** Start tag of the last job that had its turn in order. */
  readonly virtualTime: number
  /** Up to where each tenant's turns so far reach, and when it had the last one; kept while either matters. */
  readonly tenants: Readonly<Record<TenantId, { readonly finish: number; readonly lastTurnMs: number }>>
}

export interface TurnEntry {
  readonly jobId: TuningJobId
  readonly tenantId: TenantId
  /** Unix milliseconds by which it asks again. */
  readonly againMs: number
}

export interface WaitingJob extends TurnEntry {
  readonly tokens: number
  readonly weight: number
  /** Since when it waits, Unix milliseconds. */
  readonly sinceMs: number
}

export interface TurnBounds {
  readonly jobsMax: number
  readonly perTenantMax: number
}

export const noTurns: TurnState = { running: [], waiting: [], virtualTime: 0, tenants: {} }

export const STARVING_MS = 12 * 3_600_000
/** Hosts and timers are late now and then. */
const LATE_MS = 30_000
export const GONE_AFTER_MS = 6 * 3_600_000
/** A row has 1 MiB: more wait outside, in no order, until there is room. */
export const WAITING_MAX = 1_500
/** A small job takes a place for minutes too: none weighs less than this. */
const TOKENS_MIN = 100_000

/** The job whose turn it is; undefined where there is no place, or nobody for it. Pure. */
export function chooseNext(state: TurnState, bounds: TurnBounds, nowMs: number): WaitingJob | undefined {
  if (state.running.length >= bounds.jobsMax) return undefined
  let next: WaitingJob | undefined
  for (const job of state.waiting) {
    if (job.againMs + LATE_MS < nowMs) continue
    const underWay = state.running.filter(({ tenantId }) => tenantId === job.tenantId).length
    if (underWay >= bounds.perTenantMax) continue
    if (!next || comesBefore(state, { job, than: next, nowMs })) next = job
  }
  return next
}

/** Enters the job, or refreshes its place, and gives it its turn if that has come. Pure. */
export function askTurn(
  state: TurnState,
  { nowMs, ...asked }: Omit<WaitingJob, 'sinceMs'> & { readonly nowMs: number },
  bounds: TurnBounds,
): { readonly turns: TurnState; readonly hasTurn: boolean } {
  const { jobId, tenantId, againMs } = asked
  const known = withoutGone(state, nowMs)
  if (known.running.some((entry) => entry.jobId === jobId)) {
    const running = known.running.map((entry) => (entry.jobId === jobId ? { ...entry, againMs } : entry))
    return { turns: { ...known, running }, hasTurn: true }
  }
  const before = known.waiting.find((entry) => entry.jobId === jobId)
  if (!before && known.waiting.length >= WAITING_MAX) return { turns: known, hasTurn: false }
  const entry: WaitingJob = { ...asked, sinceMs: before?.sinceMs ?? nowMs }
  const waiting = before
    ? known.waiting.map((each) => (each.jobId === jobId ? entry : each))
    : [...known.waiting, entry]
  const turns = { ...known, waiting }
  // Places are given in order: mine is one of those that would be given away now.
  return hasTurnAmong(turns, { jobId, bounds, nowMs })
    ? { turns: begun(turns, entry, nowMs), hasTurn: true }
    : { turns: { ...turns, tenants: stillTold(turns, nowMs, tenantId) }, hasTurn: false }
}

/** The same state where there is none of them. */
export function leaveTurns(state: TurnState, isGone: (entry: TurnEntry) => boolean): TurnState {
  const running = state.running.filter((entry) => !isGone(entry))
  const waiting = state.waiting.filter((entry) => !isGone(entry))
  const isSame = running.length === state.running.length && waiting.length === state.waiting.length
  return isSame ? state : { ...state, running, waiting }
}

/** What the row knows of a tenant goes with it. */
export function forgetTenant(state: TurnState, tenantId: TenantId): TurnState {
  const left = leaveTurns(state, (entry) => entry.tenantId === tenantId)
  if (!Object.hasOwn(left.tenants, tenantId)) return left
  const { [tenantId]: _, ...tenants } = left.tenants
  return { ...left, tenants }
}

interface Compared {
  readonly job: WaitingJob
  readonly than: WaitingJob
  readonly nowMs: number
}

function comesBefore(state: TurnState, { job, than, nowMs }: Compared): boolean {
  const [waited, otherWaited] = [waitSince(state, job), waitSince(state, than)]
  const [isStarving, isOtherStarving] = [nowMs - waited >= STARVING_MS, nowMs - otherWaited >= STARVING_MS]
  if (isStarving !== isOtherStarving) return isStarving
  if (isStarving && waited !== otherWaited) return waited < otherWaited
  const [start, otherStart] = [startOf(state, job.tenantId), startOf(state, than.tenantId)]
  // Of a tenant's own the oldest comes first; ids sort by age.
  return start === otherStart ? job.jobId < than.jobId : start < otherStart
}

const waitSince = ({ tenants }: TurnState, { tenantId, sinceMs }: WaitingJob) =>
  Math.max(sinceMs, tenants[tenantId]?.lastTurnMs ?? 0)

const startOf = ({ virtualTime, tenants }: TurnState, tenantId: TenantId) =>
  Math.max(virtualTime, tenants[tenantId]?.finish ?? 0)

function hasTurnAmong(
  turns: TurnState,
  { jobId, bounds, nowMs }: { jobId: TuningJobId; bounds: TurnBounds; nowMs: number },
): boolean {
  let state = turns
  for (let next = chooseNext(state, bounds, nowMs); next; next = chooseNext(state, bounds, nowMs)) {
    if (next.jobId === jobId) return true
    state = begun(state, next, nowMs)
  }
  return false
}

function begun(state: TurnState, job: WaitingJob, nowMs: number): TurnState {
  const { jobId, tenantId, againMs, tokens, weight } = job
  const start = startOf(state, tenantId)
  const virtualTime = Math.max(state.virtualTime, start)
  const tenants = {
    ...state.tenants,
    [tenantId]: { finish: start + Math.max(tokens, TOKENS_MIN) / weight, lastTurnMs: nowMs },
  }
  const next = {
    running: [...state.running, { jobId, tenantId, againMs }],
    waiting: state.waiting.filter((each) => each.jobId !== jobId),
    virtualTime,
    tenants,
  }
  return { ...next, tenants: stillTold(next, nowMs, tenantId) }
}

const withoutGone = (state: TurnState, nowMs: number) =>
  leaveTurns(state, ({ againMs }) => againMs + GONE_AFTER_MS < nowMs)

/**
 * Whatever says nothing any more is left out: a finish in the past, and a turn of a tenant that waits for no other. While it
 * waits, its last turn says how long.
 */
const stillTold = (
  { tenants, virtualTime, waiting }: TurnState,
  nowMs: number,
  asking: TenantId,
): TurnState['tenants'] => {
  const waits: ReadonlySet<string> = new Set(waiting.map(({ tenantId }) => tenantId))
  return Object.fromEntries(
    Object.entries(tenants).filter(
      ([tenantId, { finish, lastTurnMs }]) =>
        tenantId === asking || waits.has(tenantId) || finish > virtualTime || nowMs - lastTurnMs < STARVING_MS,
    ),
  )
}
