import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { InstanceId } from '../base/ids'
import type { Log } from '../base/log'
import type { TenantScope } from '../storage/tenant-scope'
import type { OwnLimits } from '../tenants/snapshot'
import { forfeitLease } from './advance-window'
import { emptyAtMs, judgeAsk, type Ask, type Judging, type Room, type Verdict } from './judge-ask'
import { Ledger } from './ledger'
import { attemptRenewal } from './renewal-attempts'
import { OWN_SECTIONS_MAX, renewWindow, type Renewal, type Renewed } from './renew-window'
import { watchedStore } from './watched-store'
import { emptyWindow, nothing, type Lease, type SectionId, type WindowShape } from './window-state'
import type { StoredWindow, WindowStore, WindowWritten } from './window-store'

/** What is known of the row is trusted for so long when it says that a call does not fit: others may have given back. */
const RECHECK_MS = 1_000
/** The holder stops spending so many clock margins before its lease expires. */
const STOP_MARGINS = 2

export interface LeaseDeps {
  readonly windows: WindowStore
  readonly clock: Clock
  readonly chance: Chance
  readonly instanceId: InstanceId
  readonly log: Log
  readonly shape: WindowShape
}

export interface RenewalRequest {
  readonly intent: Renewal['intent']
  /** Asked anew at every attempt, as late as possible: whoever came meanwhile is served by the same write. */
  readonly asks: () => readonly Ask[]
  /** Called at once when the row says so, before anything else can spend what was granted. */
  readonly conclude: (verdicts: readonly Verdict[]) => void
  /** How long a call keeps its slot, as an estimate of the wait for one. */
  readonly slotWaitMs: number
}

/**
 * This instance's lease of one tenant's limits: the ledgers that calls spend from, and the renewals by which they and
 * the row are brought to agree. Owned by one TenantGate, which never runs two renewals at once.
 *
 * L5  A write that was not answered is *in doubt* until a read shows its sequence or a later write succeeds. Until then
 *     the same spends are reported again under the same sequence, and nothing is spent that any of the possible rows
 *     does not lease to us.
 * L6  Nothing is spent from a lease within the stop margin of its expiry, by the wall clock or by the monotonic one.
 */
export class TenantLease {
  readonly #deps: LeaseDeps
  readonly #scope: TenantScope
  readonly #windows: WindowStore
  readonly #ledgers = new Map<SectionId, Ledger>()
  #known: StoredWindow | undefined
  #knownAtMs = -Infinity
  /** The sequence under which the row holds our lease, as far as we know. */
  #held: number | undefined
  /** The sequence of the renewal that is under way or in doubt. */
  #pending: number | undefined
  #inDoubt = false
  #sequence: number
  #frozen = false
  #usableUntilMs = -Infinity
  #usableUntilMonotonicMs = -Infinity
  /** Wall time at which the row last agreed with us. */
  renewedAtMs = -Infinity

  constructor(deps: LeaseDeps, scope: TenantScope) {
    this.#deps = deps
    this.#scope = scope
    this.#windows = watchedStore(deps.windows, deps)
    // Starting from the time keeps the sequences of a process apart from those of an earlier one with the same id.
    this.#sequence = Math.floor(deps.clock.now())
  }

  /** The books of a section under the limits of the present call; undefined when there are too many sections. */
  ledger(section: SectionId, limits: OwnLimits): Ledger | undefined {
    let ledger = this.#ledgers.get(section)
    if (!ledger) {
      if (this.#ledgers.size > OWN_SECTIONS_MAX) this.#prune()
      if (this.#ledgers.size > OWN_SECTIONS_MAX) return undefined
      ledger = new Ledger(section, this.#deps.clock.now())
      this.#ledgers.set(section, ledger)
    }
    ledger.agree(limits)
    return ledger
  }

  isUsable(nowMs: number): boolean {
    return nowMs < this.#usableUntilMs && this.#deps.clock.monotonicMs() < this.#usableUntilMonotonicMs
  }

  isEmpty(): boolean {
    if (this.#pending !== undefined || this.#held !== undefined) return false
    for (const ledger of this.#ledgers.values()) if (!ledger.isEmpty()) return false
    return true
  }

  /** What the row, as last seen, says to a call now; undefined when that is too old to refuse by, or was never seen. */
  judge(ask: Ask, nowMs: number, { slotWaitMs, mayBeOld }: { slotWaitMs: number; mayBeOld: boolean }) {
    // While amounts are frozen it cannot be told apart from here what waiting calls will leave over.
    if (!this.#known || this.#frozen || !(mayBeOld || nowMs - this.#knownAtMs < RECHECK_MS)) return undefined
    const judging = this.#judging(this.#known, nowMs)
    const rooms = new Map<SectionId, Room>()
    for (const section of ask.sections) {
      const ledger = this.#ledgers.get(section)
      if (ledger) rooms.set(section, ledger.roomIn(judging, slotWaitMs))
    }
    return judgeAsk(ask, rooms, judging)
  }

  /** How long until the section's window is empty, by what is known of it. */
  resetMs(section: SectionId, nowMs: number): number {
    return this.#known ? Math.max(0, emptyAtMs(section, this.#judging(this.#known, nowMs)) - nowMs) : 0
  }

  /** Throws `storage_unavailable` when the row could not be changed in time; nothing is reserved then. */
  async renew(request: RenewalRequest): Promise<void> {
    let unread = this.#isAlone()
    await attemptRenewal(this.#deps, async () => {
      if (unread && (await this.#attempt(request, 'unread'))) return true
      unread = false
      return this.#attempt(request, 'read')
    })
  }

  /** True when the row says what was asked for, or need not be changed. */
  async #attempt(request: RenewalRequest, row: 'read' | 'unread'): Promise<boolean> {
    const { clock, shape, instanceId } = this.#deps
    const fromMemory = row === 'unread'
    const stored = fromMemory ? this.#known : await this.#windows.read(this.#scope)
    if (!fromMemory && this.#hasLanded(stored)) {
      this.#land(stored, { nowMs: clock.now(), monotonicMs: clock.monotonicMs() })
    } else if (!fromMemory) {
      this.#reconcile(stored)
      if (!stored && request.asks().length === 0) return this.#letGoOfMissingRow(request)
    }

    // From here to the write nothing else runs: the report, the verdicts and what is frozen belong together.
    const nowMs = Math.floor(clock.now())
    const monotonicMs = clock.monotonicMs()
    const base = this.#known ?? { state: emptyWindow(nowMs), tag: undefined }
    const sequence = (this.#pending ??= ++this.#sequence)
    const reports = new Map([...this.#ledgers].map(([id, ledger]) => [id, ledger.report(nowMs, request.slotWaitMs)]))
    const renewal: Renewal = { instanceId, sequence, reports, asks: request.asks(), intent: request.intent }
    const renewed = renewWindow(base.state, renewal, { nowMs, shape })
    if (!renewed.changed && !this.#inDoubt) {
      this.#withdraw()
      if (fromMemory && renewed.verdicts.some(({ kind }) => kind !== 'granted')) return false
      this.renewedAtMs = nowMs
      this.#knownAtMs = nowMs
      request.conclude(renewed.verdicts)
      return true
    }

    const frozen = this.#freeze(renewed)
    let written: WindowWritten
    try {
      written = await this.#windows.write(this.#scope, renewed.state, stored?.tag)
    } catch (error) {
      this.#thaw(frozen, renewed, 'in-doubt')
      if (!renewed.state.holders.has(instanceId)) this.#forgetRefunds()
      throw error
    }
    if (written.kind === 'lost-race') {
      this.#thaw(frozen, renewed, 'lost-race')
      return false
    }
    this.#frozen = false
    this.#land({ state: renewed.state, tag: written.tag }, { nowMs, monotonicMs })
    request.conclude(renewed.verdicts)
    return true
  }

  #hasLanded(stored: StoredWindow | undefined): stored is StoredWindow {
    const sequence = stored?.state.holders.get(this.#deps.instanceId)?.sequence
    return sequence !== undefined && sequence === this.#pending
  }

  /** The ledgers agree with the row again: what it leases to us is ours until shortly before it expires (L6). */
  #land(stored: StoredWindow, { nowMs, monotonicMs }: { nowMs: number; monotonicMs: number }): void {
    const { instanceId, shape } = this.#deps
    const holder = stored.state.holders.get(instanceId)
    this.#know(stored, nowMs)
    for (const ledger of this.#ledgers.values()) ledger.land(this.#judging(stored, nowMs))
    this.#held = holder?.sequence
    this.#pending = undefined
    this.#inDoubt = false
    this.renewedAtMs = nowMs
    const expiresAtMs = holder?.expiresAtMs ?? nowMs
    this.#usableUntilMs = expiresAtMs - STOP_MARGINS * shape.skewMsMax
    this.#usableUntilMonotonicMs = monotonicMs + this.#usableUntilMs - nowMs
  }

  /** Finds out what has happened to our lease since we last saw the row, and makes the ledgers say the same. */
  #reconcile(stored: StoredWindow | undefined): void {
    const { clock, instanceId, shape } = this.#deps
    // Deleted under us: the next call writes what we last saw, so that the window is not forgotten with the row.
    if (!stored) return
    const before = this.#known?.state
    const holder = stored.state.holders.get(instanceId)
    this.#know(stored, clock.now())
    if (before && before.bornMs !== stored.state.bornMs) return this.#drop('row-replaced')
    if (this.#held !== undefined && !holder) return this.#drop('expired')
    if (!holder || holder.sequence === this.#held) return
    // Neither what we hold nor what we tried: left by an earlier process with our id, or older than what we gave up on.
    this.#known = { ...stored, state: forfeitLease(stored.state, instanceId, shape) }
    this.#drop('expired')
  }

  /** Without a call to serve, a row that is gone stays gone: its tenant may have been offboarded. */
  #letGoOfMissingRow(request: RenewalRequest): true {
    const { clock, instanceId, shape } = this.#deps
    const nowMs = Math.floor(clock.now())
    this.renewedAtMs = nowMs
    if (request.intent === 'leave' || nowMs >= this.#usableUntilMs) {
      if (this.#known) this.#known = { ...this.#known, state: forfeitLease(this.#known.state, instanceId, shape) }
      this.#drop('expired')
    }
    request.conclude([])
    return true
  }

  #drop(reason: 'expired' | 'row-replaced'): void {
    for (const ledger of this.#ledgers.values()) ledger.drop(reason)
    this.#held = undefined
    this.#pending = undefined
    this.#inDoubt = false
    this.#usableUntilMs = -Infinity
  }

  #withdraw(): void {
    for (const ledger of this.#ledgers.values()) ledger.withdraw()
    this.#pending = undefined
  }

  #freeze({ sized }: Renewed): ReadonlyMap<SectionId, Lease> {
    this.#frozen = true
    return new Map(
      [...this.#ledgers].map(([sectionId, ledger]) => [
        sectionId,
        ledger.freeze(sized.get(sectionId)?.ahead ?? nothing),
      ]),
    )
  }

  /** What may be spent again: all of it when the write is known to have failed, else only what it did not give back (L5). */
  #thaw(frozen: ReadonlyMap<SectionId, Lease>, { sized }: Renewed, outcome: 'lost-race' | 'in-doubt'): void {
    this.#frozen = false
    if (outcome === 'in-doubt') this.#inDoubt = true
    for (const [sectionId, ledger] of this.#ledgers) {
      const amount = frozen.get(sectionId) ?? nothing
      const promised = sized.get(sectionId)?.promised ?? nothing
      ledger.thaw(outcome === 'lost-race' ? amount : lesser(amount, promised))
    }
  }

  /** The row would show no sequence of ours if the write has landed, and a refund made twice would pass the limit. */
  #forgetRefunds(): void {
    for (const ledger of this.#ledgers.values()) ledger.forgetRefunds()
  }

  #know(stored: StoredWindow, nowMs: number): void {
    this.#known = stored
    this.#knownAtMs = nowMs
  }

  /** Whether the row is most likely as we left it, so that a write can be tried without reading it first. */
  #isAlone(): boolean {
    if (!this.#known || this.#pending !== undefined) return false
    for (const holderId of this.#known.state.holders.keys()) if (holderId !== this.#deps.instanceId) return false
    return true
  }

  /** Forgets keys and aliases that hold nothing. */
  #prune(): void {
    for (const [section, ledger] of this.#ledgers) {
      if (section !== 'tenant' && ledger.isEmpty()) this.#ledgers.delete(section)
    }
  }

  #judging({ state }: StoredWindow, nowMs: number): Judging {
    return { state, instanceId: this.#deps.instanceId, nowMs, shape: this.#deps.shape }
  }
}

function lesser(one: Lease, other: Lease): Lease {
  return {
    requests: Math.min(one.requests, other.requests),
    tokens: Math.min(one.tokens, other.tokens),
    slots: Math.min(one.slots, other.slots),
  }
}
