import type { CallIntent, CallSettlement, RefusedCall } from './usage-record'

/** The durable usage log of this instance. */
export interface UsageLog {
  /**
   * Opens a call's entry. The intent goes into the next group commit; nothing is awaited.
   * Undefined when the log has fallen behind its bound: the call must be refused.
   */
  open(intent: CallIntent): OpenCall | undefined
  /**
   * Counts a call that was refused before `open`. Nothing is awaited; it is written with others like it within `tallyLingerMs`, and what
   * a crash catches before that is lost.
   */
  refused(call: RefusedCall): void
  /** Resolves when everything handed in so far is durable. */
  flush(): Promise<void>
  /** Flushes and stops. Calls that are still open stay in the log as unsettled. */
  close(): Promise<void>
}

/** With what a look at this instance asks. */
export interface WatchedUsageLog extends UsageLog {
  /** Why calls are refused at present, or undefined where they are taken. */
  readonly behind: 'storage does not take it' | 'too many calls are held' | undefined
  /** How long the oldest records that are not durable have been due, milliseconds; 0 where none is. */
  readonly overdueMs: number
}

export interface OpenCall {
  /** Resolves once the intent (or the settlement, if that came first) is durable; awaited before an answer's last byte (I8). Rejects when the log cannot be written within its bound. */
  durable(): Promise<void>
  /** Exactly once, on every exit. Later calls are a defect and throw. */
  settle(settlement: CallSettlement): void
}
