/** For a timer that looks again and again: what one look says must neither wake anybody nor send them back to sleep. */
export interface Hysteresis {
  /** Raise once so many of the last `looks` were bad … */
  readonly raiseAfter: number
  readonly looks: number
  /** … and resolve after so many good ones in a row. */
  readonly resolveAfter: number
}

export interface Looks {
  readonly isRaised: boolean
  /** Whether each of the last looks was bad, the newest last; at most `looks` or `resolveAfter`, whichever is more. */
  readonly recent: readonly boolean[]
}

export const noLooks: Looks = { isRaised: false, recent: [] }

export type Verdict = 'raise' | 'keep' | 'resolve' | 'quiet'

/**
 * After one more look: `raise` and `resolve` once each, `keep` while it stays raised, `quiet` while it does not. Whoever loses
 * the answer of a look (a crash between the two) raises or resolves with the next one: both can be repeated, so that callers may act
 * on `isRaised` alone.
 */
export function afterLook(
  { raiseAfter, looks, resolveAfter }: Hysteresis,
  before: Looks,
  isBad: boolean,
): { readonly looks: Looks; readonly verdict: Verdict } {
  const recent = [...before.recent, isBad].slice(-Math.max(looks, resolveAfter))
  if (before.isRaised) {
    const isOver = recent.length >= resolveAfter && recent.slice(-resolveAfter).every((bad) => !bad)
    // What came before it was resolved does not count towards the next time.
    if (isOver) return { looks: noLooks, verdict: 'resolve' }
    return { looks: { isRaised: true, recent }, verdict: 'keep' }
  }
  const isRaised = recent.slice(-looks).filter(Boolean).length >= raiseAfter
  return { looks: { isRaised, recent }, verdict: isRaised ? 'raise' : 'quiet' }
}
