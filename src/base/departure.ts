/** Whether a client goes before its answer is whole. */
export interface Departure {
  readonly hasGone: boolean
  /** Aborted when it goes. Made when it is first asked for: few calls have anything that waits by it, and a signal is dear. */
  readonly signal: AbortSignal
}
