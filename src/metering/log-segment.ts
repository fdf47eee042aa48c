import { assert, assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import type { InstanceId } from '../base/ids'
import type { Log } from '../base/log'
import type { AppendBlobs } from './append-blob'
import { encodeCommit, markDurable, newGroupCommit, type GroupCommit, type HeldCall } from './group-commit'
import { HOUR_MS, logBlobName } from './log-blob-name'
import type { UsageLogBounds } from './usage-log-bounds'
import type { CallIntent, CallTally } from './usage-record'

export interface SegmentContext {
  readonly blobs: AppendBlobs
  readonly clock: Clock
  readonly log: Log
  readonly instanceId: InstanceId
  readonly bounds: UsageLogBounds
  /** Ends the waits between attempts; what is not durable then stays unwritten. */
  readonly stopped: AbortSignal
  /** The call's settlement is durable: nobody needs it any more. */
  onSettled(call: HeldCall): void
  /** Takes what this segment could not write to another one. */
  onLost(commits: readonly GroupCommit[]): void
  /** The segment has sealed its blob, or lost it. */
  onEnded(segment: LogSegment): void
}

/**
 * How long an append waits for more records to share it. It departs earlier once half of the calls that are open wait for
 * it: the other half works meanwhile, so that neither the processor nor storage is idle, and a lone call waits for nobody.
 */
const LINGER_MS = 5
/** Calls in one append. A block may be 100 MiB, and a line is at most 6 KB. */
const COMMIT_CALLS_MAX = 4_000

/**
 * One log blob and its only writer. Invariants:
 * S1 At most one append is under way, and it is repeated byte for byte at the same position until its outcome is known;
 *    storage applies an append only at the blob's end, so however often it arrives it is written once.
 * S2 An append whose outcome stays unclear is decided by the blob's length, which nobody else changes.
 * S3 A blob that cannot be written any more (sealed by the roll-up, deleted, full) is lost: what is not in it moves to another.
 */
export class LogSegment {
  /** The hour its calls are opened in, counted from the epoch; another hour means another segment. */
  readonly hour: number
  readonly #context: SegmentContext
  readonly #sequence: number
  #state: 'taking' | 'retired' | 'sealing' | 'lost' = 'taking'
  #blobName: string | undefined
  #positionBytes = 0
  #appends = 0
  /** Calls opened here whose settlement is not durable. */
  #openCalls = 0
  #commits: GroupCommit[] = []
  #writing: Promise<void> | undefined
  /** Ends the wait for more records that is under way. */
  #depart: (() => void) | undefined
  #draining = false
  #failingSinceMs: number | undefined

  constructor(context: SegmentContext, sequence: number) {
    this.#context = context
    this.#sequence = sequence
    this.hour = Math.floor(context.clock.now() / HOUR_MS)
  }

  /** Has had its share of appends or bytes. */
  get isFull(): boolean {
    const { segmentAppendsMax, segmentBytesMax } = this.#context.bounds
    return this.#appends >= segmentAppendsMax || this.#positionBytes >= segmentBytesMax
  }

  get isLost(): boolean {
    return this.#state === 'lost'
  }

  /** Since when no attempt has succeeded, on the monotonic clock; undefined while all is well. */
  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs
  }

  /** What is not durable yet. */
  get pending(): readonly GroupCommit[] {
    return this.#commits
  }

  /** Takes a call whose whole story this blob is to tell. */
  open(intent: CallIntent): HeldCall {
    assert(this.#state === 'taking', 'a call was opened in a segment that takes none')
    this.#openCalls++
    const firstCommit = this.#joinableCommit()
    const call: HeldCall = {
      intent,
      settlement: undefined,
      encoded: 'nothing',
      segment: this,
      intentIn: undefined,
      firstCommit,
    }
    firstCommit.calls.push(call)
    this.#write()
    return call
  }

  /** Queues the settlement of a call whose intent has already been encoded. */
  put(call: HeldCall): void {
    this.#joinableCommit().calls.push(call)
    this.#write()
  }

  /** Queues refusals, each of which is a whole story. */
  tell(tallies: readonly CallTally[]): void {
    this.#joinableCommit().tallies.push(...tallies)
    this.#write()
  }

  /** Takes over what another segment could not write. A call whose intent is durable there only ends here. */
  adopt(commits: readonly GroupCommit[]): void {
    for (const call of commits.flatMap(({ calls }) => calls)) {
      if (call.segment === this || call.intentIn) continue
      call.segment = this
      this.#openCalls++
    }
    this.#commits.push(...commits)
    this.#write()
  }

  /**
   * No call is opened here any more: the blob is sealed once the last one is settled.
   * Resolves when that is done, or at once while calls are open.
   */
  retire(): Promise<void> {
    if (this.#state === 'taking') this.#state = 'retired'
    return this.#endWhenSettled()
  }

  /** Writes without lingering from now on; resolves when nothing is left to write or the log has stopped. */
  async drain(): Promise<void> {
    this.#draining = true
    this.#depart?.()
    while (this.#writing) await this.#writing
  }

  #joinableCommit(): GroupCommit {
    const last = this.#commits.at(-1)
    if (last && !last.departed && last.calls.length < COMMIT_CALLS_MAX) return last
    const commit = newGroupCommit(this.#context.clock.monotonicMs() + LINGER_MS)
    this.#commits.push(commit)
    return commit
  }

  #write(): void {
    if (this.#commits.length === 0) return
    this.#writing ??= this.#writeAll().then(() => {
      this.#writing = undefined
      if (!this.#context.stopped.aborted) this.#write()
      void this.#endWhenSettled()
    })
  }

  /** The one loop that appends. Ends when nothing is queued, the blob is lost, or the log has stopped. */
  async #writeAll(): Promise<void> {
    for (let commit = this.#commits[0]; commit && !this.#context.stopped.aborted; commit = this.#commits[0]) {
      await this.#gather(commit)
      const outcome = await this.#writeCommit(commit)
      if (outcome === 'stopped') return
      if (outcome === 'lost') return this.#giveUp()
      this.#commits.shift()
    }
  }

  /** Resolves when the commit is to depart. */
  async #gather(commit: GroupCommit): Promise<void> {
    const { clock } = this.#context
    const lingerMs = commit.lingersUntilMs - clock.monotonicMs()
    const isAwaited = () => commit.waiting * 2 >= this.#openCalls
    if (this.#draining || lingerMs <= 0 || isAwaited()) return
    await new Promise<void>((resolve) => {
      const cancel = clock.after(lingerMs, resolve)
      this.#depart = () => {
        cancel()
        resolve()
      }
      commit.onWaiting = () => isAwaited() && this.#depart?.()
    })
    this.#depart = undefined
    commit.onWaiting = undefined
  }

  async #writeCommit(commit: GroupCommit): Promise<'written' | 'lost' | 'stopped'> {
    this.#blobName ??= await this.#create()
    if (this.#blobName === undefined) return 'stopped'
    commit.departed = true
    const { bytes, intents, settled } = encodeCommit(commit, this)
    if (bytes.length > 0) {
      const outcome = await this.#appendUntilKnown(this.#blobName, bytes)
      if (outcome !== 'written') {
        for (const call of intents) call.encoded = 'nothing'
        for (const call of settled) call.encoded = call.intentIn ? 'intent' : 'nothing'
        return outcome
      }
      this.#positionBytes += bytes.length
      this.#appends++
    }
    for (const call of intents) call.intentIn = this
    for (const call of settled) {
      if (call.segment === this) this.#openCalls--
      this.#context.onSettled(call)
    }
    markDurable(commit)
    return 'written'
  }

  /** Undefined when the log was stopped first. */
  async #create(): Promise<string | undefined> {
    const { blobs, clock, instanceId, stopped } = this.#context
    for (let attempt = 0; !stopped.aborted; attempt++) {
      // Named anew each time: after a long outage the roll-up no longer looks into the hour of the first attempt.
      const name = logBlobName(clock.now(), instanceId, this.#sequence)
      const outcome = await blobs.create(name)
      // Only this process makes blobs of this name: one that exists was made by an attempt that seemed to fail.
      if (outcome.kind === 'written' || /BlobAlreadyExists|ConditionNotMet/.test(outcome.reason)) {
        this.#failingSinceMs = undefined
        return name
      }
      await this.#backOff(attempt, 'create', outcome.reason)
    }
    return undefined
  }

  async #appendUntilKnown(blobName: string, bytes: Uint8Array): Promise<'written' | 'lost' | 'stopped'> {
    const { blobs, log, stopped } = this.#context
    for (let attempt = 0; !stopped.aborted; attempt++) {
      const outcome = await blobs.append(blobName, this.#positionBytes, bytes)
      const reason = outcome.kind === 'written' ? '' : outcome.reason
      const known = outcome.kind === 'refused' ? await this.#afterRefusal(blobName, bytes.length) : outcome.kind
      switch (known) {
        case 'written':
          this.#failingSinceMs = undefined
          return 'written'
        case 'lost':
          log.error('a usage log blob cannot be written any more', { blobName, reason })
          return 'lost'
        case 'unclear':
          await this.#backOff(attempt, 'append', reason)
          break
        default:
          return assertNever(known)
      }
    }
    return 'stopped'
  }

  /** S2. A refusal although nothing has been appended means that the blob takes nothing any more. */
  async #afterRefusal(blobName: string, appendBytes: number): Promise<'written' | 'lost' | 'unclear'> {
    const length = await this.#context.blobs.length(blobName)
    if (length.kind === 'unclear') return 'unclear'
    return length.kind === 'length' && length.bytes === this.#positionBytes + appendBytes ? 'written' : 'lost'
  }

  async #backOff(attempt: number, step: string, reason: string): Promise<void> {
    const { clock, log, stopped, bounds } = this.#context
    this.#failingSinceMs ??= clock.monotonicMs()
    log.warn('the usage log could not be written; trying again', { step, attempt, reason })
    await clock.sleep(Math.min(bounds.backOffMsMax, bounds.backOffMsMin * 2 ** attempt), stopped)
  }

  #giveUp(): void {
    const commits = this.#commits
    this.#commits = []
    this.#state = 'lost'
    this.#failingSinceMs = undefined
    for (const commit of commits) commit.departed = false
    this.#context.onEnded(this)
    this.#context.onLost(commits)
  }

  async #endWhenSettled(): Promise<void> {
    if (this.#state !== 'retired' || this.#openCalls > 0 || this.#commits.length > 0 || this.#writing) return
    this.#state = 'sealing'
    const { blobs, log } = this.#context
    const blobName = this.#blobName
    if (blobName !== undefined) {
      // Left unsealed it costs nothing but memory in the roll-up, which seals it itself in time.
      await blobs.seal(blobName).catch((error: unknown) => {
        log.warn('a usage log blob could not be sealed', { blobName, reason: String(error) })
      })
    }
    this.#context.onEnded(this)
  }
}
