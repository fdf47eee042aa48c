/** The first pause of a circuit that opens; each failed probe doubles it. */
export const OPEN_MS_FIRST = 5_000
export const OPEN_MS_MAX = 60_000
/** A probe that has said nothing for so long gives its place to the next call, lest one long answer keep all others away. */
export const PROBE_MS_MAX = 30_000

/**
 * A circuit breaker. Closed, it lets every call through; open, none until its pause is over; then half-open, one call at a
 * time as a probe, whose success closes it and whose failure opens it for twice as long. When to open it is its owner's
 * to judge (`BackendHealth`). Times are of a monotonic clock, in milliseconds.
 *
 * C1 While it is half-open at most one call is the probe.
 * C2 Only the probe moves it: calls that began before it opened tell of a time that has passed.
 */
export class Circuit {
  #openMs = 0
  #openUntilMs = 0
  #probe: { readonly sinceMs: number } | undefined

  get isClosed(): boolean {
    return this.#openMs === 0
  }

  /** How long calls are kept away; 0 when the next one may go. */
  restMs(nowMs: number): number {
    if (this.isClosed) return 0
    if (this.#openUntilMs > nowMs) return this.#openUntilMs - nowMs
    return this.#probe ? Math.max(0, this.#probe.sinceMs + PROBE_MS_MAX - nowMs) : 0
  }

  /** For a call that goes now: its place as the probe, or undefined where the circuit is closed. Only where `restMs` is 0. */
  begin(nowMs: number): Probe | undefined {
    if (this.isClosed) return undefined
    return (this.#probe = { sinceMs: nowMs })
  }

  open(nowMs: number): void {
    if (this.isClosed) this.#pause(OPEN_MS_FIRST, nowMs)
  }

  succeeded(probe: Probe | undefined): void {
    if (!this.#holds(probe)) return
    this.#openMs = 0
    this.#probe = undefined
  }

  failed(probe: Probe | undefined, nowMs: number): void {
    if (this.#holds(probe)) this.#pause(Math.min(this.#openMs * 2, OPEN_MS_MAX), nowMs)
  }

  /** The probe ended without an answer that says anything: the next call is one. */
  abandoned(probe: Probe | undefined): void {
    if (this.#holds(probe)) this.#probe = undefined
  }

  #pause(forMs: number, nowMs: number): void {
    this.#openMs = forMs
    this.#openUntilMs = nowMs + forMs
    this.#probe = undefined
  }

  #holds(probe: Probe | undefined): boolean {
    return probe !== undefined && probe === this.#probe
  }
}

/** One call's place as a circuit's probe. */
export interface Probe {
  readonly sinceMs: number
}
