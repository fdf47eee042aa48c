/** Every bound of the usage log in one place, since they hold together. Tests pass smaller ones. */
export interface UsageLogBounds {
  /** Appends after which calls are opened in another blob. Azure ends a blob at 50,000. */
  readonly segmentAppendsMax: number
  /** Bounds what the roll-up keeps in memory for a blob that is still written. */
  readonly segmentBytesMax: number
  /**
   * Calls whose settlement is not durable yet; beyond it `open` refuses. It bounds the records in memory, one queued record
   * a call. A call that is open when its blob is full takes at most one more append, so every blob stays below
   * segmentAppendsMax + heldCallsMax appends.
   */
  readonly heldCallsMax: number
  /** One request to storage; then its outcome is unclear. */
  readonly attemptMs: number
  /** Between attempts: from the first, doubled up to the second. */
  readonly backOffMsMin: number
  readonly backOffMsMax: number
  /** After this long without a successful attempt, calls are refused before they cost anything upstream. */
  readonly refuseAfterFailingMs: number
  /** How long `durable()` and `flush()` wait for storage before they reject; the records stay queued and are tried on. */
  readonly durableWaitMs: number
  /** How long refusals are counted together before they are written. */
  readonly tallyLingerMs: number
  /** Different refusals (by tenant, key, alias, operation and code) that are counted at one time; further ones are lost. */
  readonly talliesMax: number
}

export const usageLogBounds: UsageLogBounds = {
  segmentAppendsMax: 25_000,
  segmentBytesMax: 32 * 1024 * 1024,
  heldCallsMax: 20_000,
  attemptMs: 5_000,
  backOffMsMin: 50,
  backOffMsMax: 2_000,
  refuseAfterFailingMs: 5_000,
  durableWaitMs: 15_000,
  tallyLingerMs: 5_000,
  talliesMax: 10_000,
}

/** Azure Blob Storage's own limit, learn.microsoft.com/azure/storage/blobs/scalability-targets. */
export const AZURE_APPENDS_PER_BLOB_MAX = 50_000
