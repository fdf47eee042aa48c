import type { BackendId } from '../base/ids'
import type { Clock } from '../base/clock'

/**
 * What this instance has seen of each backend: cool-downs that the backend asked for, a circuit breaker for failures,
 * and the utilisation that provisioned throughput reports. Each instance learns for itself: a shared view would cost
 * a shared write per call, and a throttled backend tells every instance within one call each.
 *
 * Circuit: closed → open after FAILURES_TO_OPEN failures in a row → after its pause one call is let through (half-open)
 * → closed by its success, open again for twice as long by its failure.
 */
export interface BackendHealth {
  view(id: BackendId): HealthView
  /** Marks the call as the circuit's one probe; must be followed by one of the three reports or by `unprobed`. */
  dispatched(id: BackendId): void
  succeeded(id: BackendId, utilization: number | undefined): void
  throttled(id: BackendId, waitMs: number): void
  failed(id: BackendId): void
  /** The call ended without saying anything of the backend's health (the caller's fault, or cancelled). */
  unprobed(id: BackendId): void
}

export type HealthView =
  | { readonly kind: 'ready'; readonly saturated: boolean }
  /** Throttled or broken: not to be called for `waitMs`. */
  | { readonly kind: 'resting'; readonly waitMs: number }

export const FAILURES_TO_OPEN = 5
export const OPEN_MS_FIRST = 5_000
export const OPEN_MS_MAX = 60_000
/** A backend that asks for longer (a day, for a call larger than its whole quota) means that call, not all calls. */
export const COOL_DOWN_MS_MAX = 60_000
/** A utilisation older than this says nothing: the bucket has drained meanwhile. */
const UTILIZATION_FRESH_MS = 2_000
const BACKENDS_MAX = 10_000

interface State {
  coolUntil: number
  failuresInRow: number
  openUntil: number
  openMs: number
  probing: boolean
  saturatedAt: number
}

export function createBackendHealth(clock: Clock): BackendHealth {
  const states = new Map<BackendId, State>()

  const stateOf = (id: BackendId): State => {
    const known = states.get(id)
    if (known) return known
    const oldest = states.size >= BACKENDS_MAX ? states.keys().next().value : undefined
    if (oldest !== undefined) states.delete(oldest)
    const fresh = { coolUntil: 0, failuresInRow: 0, openUntil: 0, openMs: 0, probing: false, saturatedAt: -Infinity }
    states.set(id, fresh)
    return fresh
  }

  return {
    view: (id) => {
      const state = states.get(id)
      if (!state) return { kind: 'ready', saturated: false }
      const now = clock.monotonicMs()
      const until = Math.max(state.coolUntil, state.openUntil)
      if (until > now) return { kind: 'resting', waitMs: until - now }
      if (state.openMs > 0 && state.probing) return { kind: 'resting', waitMs: OPEN_MS_FIRST }
      return { kind: 'ready', saturated: now - state.saturatedAt < UTILIZATION_FRESH_MS }
    },
    dispatched: (id) => {
      const state = states.get(id)
      if (state && state.openMs > 0) state.probing = true
    },
    succeeded: (id, utilization) => {
      const state = stateOf(id)
      Object.assign(state, { failuresInRow: 0, openMs: 0, openUntil: 0, probing: false })
      if (utilization !== undefined) state.saturatedAt = utilization >= 1 ? clock.monotonicMs() : -Infinity
    },
    throttled: (id, waitMs) => {
      const state = stateOf(id)
      // A throttled backend is alive: the circuit closes, the cool-down alone keeps calls away.
      Object.assign(state, { failuresInRow: 0, openMs: 0, openUntil: 0, probing: false })
      state.coolUntil = clock.monotonicMs() + Math.min(waitMs, COOL_DOWN_MS_MAX)
    },
    failed: (id) => {
      const state = stateOf(id)
      state.failuresInRow += 1
      const wasProbe = state.probing
      state.probing = false
      if (!wasProbe && state.failuresInRow < FAILURES_TO_OPEN) return
      // Failures of calls that were under way when the circuit opened do not lengthen its pause.
      if (!wasProbe && state.openMs > 0) return
      state.openMs = state.openMs === 0 ? OPEN_MS_FIRST : Math.min(state.openMs * 2, OPEN_MS_MAX)
      state.openUntil = clock.monotonicMs() + state.openMs
    },
    unprobed: (id) => {
      const state = states.get(id)
      if (state) state.probing = false
    },
  }
}
