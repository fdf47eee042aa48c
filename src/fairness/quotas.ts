import type { BackendId } from '../base/ids'
import type { Quota } from './read-quota'

/** Less than this left of a quota, and its use is spread over the time until it is whole again. */
export const SPARE_SHARE = 0.5
const SPREAD_MS_MIN = 1_000

/** A part of its quota that a backend must have lost before it says how much of that was ours. */
const MEASURED_SHARE_MIN = 0.02
/** Outside of these a share is an accident: of many instances ours is one, and counts differ by less than this. */
const OWN_SHARE_MIN = 1 / 64
const OWN_SHARE_MAX = 4

interface Known {
  quota: Quota
  untilMs: number
  atMs: number
  /** What was left when the present window was first seen, and what calls of ours have reserved since. */
  leftAtFirst: number
  ownSince: number
  /** Of what is used up, what is ours: the other instances of the app, and whoever else, use the rest. */
  ownShare: number
}

/** The tokens that a set of backends says are left, and how fast ours may go so that they last. */
export class Quotas {
  readonly #backendIds: readonly BackendId[]
  readonly #known = new Map<BackendId, Known>()

  constructor(backendIds: readonly BackendId[]) {
    this.#backendIds = backendIds
  }

  /** An answer says so; its call had reserved `tokens`. */
  say(backendId: BackendId, quota: Quota, tokens: number, nowMs: number): void {
    if (!this.#backendIds.includes(backendId)) return
    const untilMs = nowMs + quota.resetMs
    const known = this.#known.get(backendId)
    if (!known || quota.tokensLeft > known.quota.tokensLeft) {
      const ownShare = known?.ownShare ?? 1
      this.#known.set(backendId, { quota, untilMs, atMs: nowMs, leftAtFirst: quota.tokensLeft, ownSince: 0, ownShare })
      return
    }
    known.ownSince += tokens
    const used = known.leftAtFirst - quota.tokensLeft
    if (used > quota.tokensMax * MEASURED_SHARE_MIN) {
      known.ownShare = Math.min(OWN_SHARE_MAX, Math.max(OWN_SHARE_MIN, known.ownSince / used))
    }
    Object.assign(known, { quota, untilMs, atMs: nowMs })
  }

  /**
   * Reserved tokens a millisecond until `untilMs`. Undefined while one of them says nothing: it may have room. `isScarce`:
   * each has less than `SPARE_SHARE` left.
   */
  spread(nowMs: number): { readonly rate: number; readonly untilMs: number; readonly isScarce: boolean } | undefined {
    let rate = 0
    let untilMs = Infinity
    let isScarce = true
    for (const id of this.#backendIds) {
      const known = this.#known.get(id)
      if (!known || known.untilMs <= nowMs) return undefined
      const { tokensLeft, tokensMax } = known.quota
      rate += (known.ownShare * tokensLeft) / Math.max(SPREAD_MS_MIN, known.untilMs - known.atMs)
      untilMs = Math.min(untilMs, known.untilMs)
      if (tokensLeft >= tokensMax * SPARE_SHARE) isScarce = false
    }
    return untilMs < Infinity ? { rate, untilMs, isScarce } : undefined
  }
}
