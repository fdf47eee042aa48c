import type { Clock } from '../base/clock'
import type { StorageAccount } from '../storage/connect'
import { createAppendBlobs, type AppendBlobs, type WriteOutcome } from './append-blob'
import { HOUR_MS, lateLogBlobName, usageLogContainer } from './log-blob-name'
import { encodeSettled } from './log-line'
import type { CallIntent, CallSettlement } from './usage-record'

/** Usage that is known only after its call has ended: of a batch's lines, of a response in the background. */
export interface LateUsage {
  /**
   * Counts the entries once, however often this is repeated with the same claim and by however many at a time. The claim is
   * stored before, by compare-and-swap, so that whoever goes on after a crash repeats it; the entries are the same, and in the
   * same order, each time.
   * `closed`: the claim is too old to write under, and the first `entries` of them count already (perhaps none). Claim anew, at the
   * present time with the next sequence, for the ones that follow. Throws where storage does not answer; then repeat.
   */
  record(claim: LateClaim, entries: AsyncIterable<LateEntry> | Iterable<LateEntry>): Promise<LateResult>
  close(): Promise<void>
}

export interface LateClaim {
  /** Of what was used: `batch_…`, `resp_…`. Lower-case letters, digits and underscores. */
  readonly id: string
  /** Unix milliseconds of the claim. The entries' `startedAt` is to be this, or less than a day before. */
  readonly atMs: number
  /** 0 for the first claim of an id, and one more for each further. */
  readonly sequence: number
}

export interface LateEntry {
  readonly intent: CallIntent
  readonly settlement: CallSettlement
}

export type LateResult =
  /** Every entry counts. */
  { readonly kind: 'recorded' } | { readonly kind: 'closed'; readonly entries: number }

/** A claim is written under until so long after its hour; the roll-up leaves an hour behind after twice as much. */
export const LATE_CLOSED_AFTER_MS = HOUR_MS
/** Of one append, which may have 4 MiB by every version of storage. */
const BLOCK_BYTES_MAX = 2 * 1024 * 1024
const ATTEMPT_MS = 10_000
const ATTEMPTS_MAX = 5
const ATTEMPT_PAUSE_MS = 200

/**
 * A log blob for each claim, with a name that the claim alone decides. Appends apply at their position only, and the entries are the
 * same bytes each time: so each of them stands in the blob once, whoever writes them, and the roll-up reads it like any other.
 */
export function createLateUsage({ storage, clock }: { storage: StorageAccount; clock: Clock }): LateUsage {
  const blobs = createAppendBlobs(storage.container(usageLogContainer), { clock, attemptMs: ATTEMPT_MS })
  return {
    close: () => blobs.close(),
    record: async (claim, entries) => {
      const name = lateLogBlobName(claim.atMs, claim.id, claim.sequence)
      const hourEndMs = (Math.floor(claim.atMs / HOUR_MS) + 1) * HOUR_MS
      const isLate = clock.now() > hourEndMs + LATE_CLOSED_AFTER_MS
      await ensure(blobs, clock, name)
      // Nobody who was slow writes under it any more, and how long it is stays so.
      if (isLate) await blobs.seal(name)
      const writer = new LateWriter(blobs, clock, { name, length: await lengthOf(blobs, clock, name), isLate })
      for await (const entry of entries) if (!(await writer.add(entry))) return writer.closed()
      return (await writer.end()) ? { kind: 'recorded' } : writer.closed()
    },
  }
}

class LateWriter {
  readonly #blobs: AppendBlobs
  readonly #clock: Clock
  readonly #name: string
  /** What stood in the blob before. */
  readonly #length: number
  #isClosed: boolean
  #position = 0
  #entriesBefore = 0
  #lines: string[] = []
  #bytes = 0

  constructor(
    blobs: AppendBlobs,
    clock: Clock,
    { name, length, isLate }: { name: string; length: number; isLate: boolean },
  ) {
    this.#blobs = blobs
    this.#clock = clock
    this.#name = name
    this.#length = length
    this.#isClosed = isLate
  }

  /** False once an entry cannot be written under the claim any more. */
  async add({ intent, settlement }: LateEntry): Promise<boolean> {
    const line = encodeSettled(intent, settlement, false)
    this.#lines.push(line)
    this.#bytes += Buffer.byteLength(line)
    return this.#bytes < BLOCK_BYTES_MAX || this.#write()
  }

  async end(): Promise<boolean> {
    if (this.#lines.length > 0 && !(await this.#write())) return false
    await this.#blobs.seal(this.#name)
    return true
  }

  closed(): LateResult {
    return { kind: 'closed', entries: this.#entriesBefore }
  }

  /** One block, unless it stands there already. */
  async #write(): Promise<boolean> {
    const end = this.#position + this.#bytes
    if (end > this.#length) {
      if (this.#isClosed || !(await this.#append(Buffer.from(this.#lines.join('')), end))) return false
    }
    this.#position = end
    this.#entriesBefore += this.#lines.length
    this.#lines = []
    this.#bytes = 0
    return true
  }

  async #append(bytes: Buffer, end: number): Promise<boolean> {
    const outcome: WriteOutcome = await clear(this.#clock, () => this.#blobs.append(this.#name, this.#position, bytes))
    if (outcome.kind === 'written') return true
    // Its length tells whether an attempt before, or somebody else with the same claim, has written it.
    if ((await lengthOf(this.#blobs, this.#clock, this.#name)) >= end) return true
    this.#isClosed = true
    return false
  }
}

/** Storage refuses to make a blob that is there. */
async function ensure(blobs: AppendBlobs, clock: Clock, name: string): Promise<void> {
  await clear(clock, () => blobs.create(name))
}

async function lengthOf(blobs: AppendBlobs, clock: Clock, name: string): Promise<number> {
  const length = await clear(clock, () => blobs.length(name))
  if (length.kind === 'missing') throw new Error('the blob of late usage is gone')
  return length.bytes
}

/** Asks until the outcome is clear. */
async function clear<Outcome extends { readonly kind: string }>(
  clock: Clock,
  ask: () => Promise<Outcome>,
): Promise<Exclude<Outcome, { kind: 'unclear' }>> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await ask()
    if (isClear(outcome)) return outcome
    if (attempt === ATTEMPTS_MAX) throw new Error(`storage does not take late usage: ${JSON.stringify(outcome)}`)
    await clock.sleep(ATTEMPT_PAUSE_MS * attempt)
  }
}

const isClear = <Outcome extends { readonly kind: string }>(
  outcome: Outcome,
): outcome is Exclude<Outcome, { kind: 'unclear' }> => outcome.kind !== 'unclear'
