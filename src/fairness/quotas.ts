import type { BackendId } from '../base/ids'
import type { Quota } from './read-quota'

/** Less than this left of a quota, and its use is spread over the time until it is whole again. What is above is there for bursts. */
export const SPARE_SHARE = 0.75
const SPREAD_MS_MIN = 1_000
/** An answer that took longer says nothing of now: nobody documents whether its headers are of its beginning or of its end. */
export const ANSWER_MS_MAX = 5_000
/** A part of the quotas that must be gone before it says how much of that was ours. */
const MEASURED_SHARE_MIN = 0.02
/** Outside of these a share is an accident: of many instances ours is one, and counts differ by less than this. */
const OWN_SHARE_MIN = 1 / 64
const OWN_SHARE_MAX = 4
const OWN_SHARE_GAIN = 0.3
/**
 * Below 1, an instance whose share is small takes more than it, one whose share is large less in relation: so shares do not drift
 * apart, as they would if each took exactly what it took before. Together they take a little too much, and less with each answer.
 */
const EQUALIZING_EXPONENT = 0.75

interface Known {
  readonly quota: Quota
  readonly untilMs: number
  /** Of the call whose answer said it. */
  readonly sentAtMs: number
}

/** What an answer said, with when its call was sent and how many tokens had gone before it. */
export interface QuotaReport {
  readonly quota: Quota
  readonly sentAtMs: number
  readonly sentBefore: number
}

/**
 * The tokens that a set of backends says are left, and how fast ours may go so that they last. Other instances of the app use the same
 * quotas; what is ours is found by comparing what we sent with what has gone, so nobody has to be asked and units need not agree.
 */
export class Quotas {
  readonly #backendIds: readonly BackendId[]
  readonly #known = new Map<BackendId, Known>()
  /** Tokens that calls have reserved since the beginning, as far as backends took them. */
  #sent = 0
  #ownShare = 1
  #measured = { sent: 0, used: 0 }
  #used = 0

  constructor(backendIds: readonly BackendId[]) {
    this.#backendIds = backendIds
  }

  get sent(): number {
    return this.#sent
  }

  /** Negative where a backend refused them. */
  send(tokens: number): void {
    this.#sent += tokens
  }

  say(backendId: BackendId, { quota, sentAtMs, sentBefore }: QuotaReport, nowMs: number): void {
    const known = this.#known.get(backendId)
    // Answers come in another order than their calls went; what a later call was told is newer.
    if (nowMs - sentAtMs > ANSWER_MS_MAX || (known && sentAtMs < known.sentAtMs)) return
    if (!this.#backendIds.includes(backendId)) return
    this.#known.set(backendId, { quota, untilMs: sentAtMs + quota.resetMs, sentAtMs })
    if (!known) this.#measured = { sent: sentBefore, used: this.#used }
    else this.#measure(known, quota, sentBefore)
  }

  #measure(known: Known, quota: Quota, sentBefore: number): void {
    const isNewWindow = quota.tokensLeft > known.quota.tokensLeft
    this.#used += (isNewWindow ? quota.tokensMax : known.quota.tokensLeft) - quota.tokensLeft
    const used = this.#used - this.#measured.used
    if (used < quota.tokensMax * this.#backendIds.length * MEASURED_SHARE_MIN) return
    const share = Math.min(OWN_SHARE_MAX, Math.max(OWN_SHARE_MIN, (sentBefore - this.#measured.sent) / used))
    this.#ownShare += OWN_SHARE_GAIN * (share - this.#ownShare)
    this.#measured = { sent: sentBefore, used: this.#used }
  }

  /**
   * Reserved tokens a millisecond until `untilMs`. Undefined while one of the backends says nothing: it may have room. `isScarce`:
   * each has less than `SPARE_SHARE` left.
   */
  spread(nowMs: number): { readonly rate: number; readonly untilMs: number; readonly isScarce: boolean } | undefined {
    const ours = this.#ownShare ** EQUALIZING_EXPONENT
    let rate = 0
    let untilMs = Infinity
    let isScarce = true
    for (const id of this.#backendIds) {
      const known = this.#known.get(id)
      if (!known || known.untilMs <= nowMs) return undefined
      const { tokensLeft, tokensMax } = known.quota
      rate += (ours * tokensLeft) / Math.max(SPREAD_MS_MIN, known.untilMs - known.sentAtMs)
      untilMs = Math.min(untilMs, known.untilMs)
      if (tokensLeft >= tokensMax * SPARE_SHARE) isScarce = false
    }
    return untilMs < Infinity ? { rate, untilMs, isScarce } : undefined
  }
}
