import type { Verdict } from './find-noisy-neighbours'
import { rungs, type NoisyPolicy, type Rung } from './noisy-policy'
import { MINUTE_MS } from './pool-normal'

/** How far it has come with one tenant in one of its pools. All times are Unix milliseconds. */
export interface Ladder {
  readonly rung: Rung
  readonly sinceMs: number
  /** Calm since then, without a break; absent while it is not. */
  readonly calmSinceMs?: number | undefined
  /** Of this finding so far. */
  readonly quarantines: number
}

/** Why a rung is left for another. */
export type Why =
  /** Others suffer. */
  | 'found'
  /** They still do, and the rung's time is over. */
  | 'went-on'
  | 'calm'
  /** A quarantine ends by itself, whatever comes then. */
  | 'quarantine-over'
  /** An operator allows no more. */
  | 'not-allowed'

export type Step =
  | { readonly kind: 'stay'; readonly ladder: Ladder }
  | { readonly kind: 'to'; readonly ladder: Ladder; readonly why: Why }
  | { readonly kind: 'over'; readonly why: Why }

const QUARANTINE_DOUBLINGS_MAX = 6
const QUARANTINE_MS_MAX = 24 * 60 * MINUTE_MS

/**
 * One rung up, one down, or none. Up: others have suffered under this rung for its time. Down: the tenant has asked for no more
 * than is usual for `calmMinutes`; what was refused counts as asked for, so a measure is not undone because it works. In
 * between it stays, which is the hysteresis. Pure; asked twice at one time it answers the same.
 */
export function climbLadder(
  ladder: Ladder | undefined,
  {
    verdict,
    policy,
    allowed,
    nowMs,
  }: { verdict: Verdict | undefined; policy: NoisyPolicy; allowed: Rung; nowMs: number },
): Step {
  if (!ladder) {
    if (verdict?.kind !== 'noisy') return { kind: 'over', why: 'calm' }
    return { kind: 'to', ladder: { rung: 'notify', sinceMs: nowMs, quarantines: 0 }, why: 'found' }
  }
  const to = (rung: Rung, why: Why, calmSinceMs?: number): Step => {
    const quarantines = ladder.quarantines + (rung === 'quarantine' ? 1 : 0)
    return { kind: 'to', ladder: { rung, sinceMs: nowMs, quarantines, ...(calmSinceMs && { calmSinceMs }) }, why }
  }
  if (rankOf(ladder.rung) > rankOf(allowed)) return to(allowed, 'not-allowed', ladder.calmSinceMs)
  if (ladder.rung === 'quarantine') {
    if (nowMs < quarantineEndMs(ladder, policy)) return { kind: 'stay', ladder }
    return to('throttle', 'quarantine-over')
  }
  if (!verdict) return calm(ladder, { policy, nowMs, to })
  const { calmSinceMs: _calm, ...restless } = ladder
  const next = rungs[rankOf(ladder.rung) + 1]
  const isTime = nowMs - ladder.sinceMs >= dwellMs(ladder.rung, policy)
  if (harms(verdict) && isTime && next && rankOf(next) <= rankOf(allowed)) return to(next, 'went-on')
  return { kind: 'stay', ladder: restless }
}

function calm(
  ladder: Ladder,
  {
    policy,
    nowMs,
    to,
  }: { policy: NoisyPolicy; nowMs: number; to: (rung: Rung, why: Why, calmSinceMs?: number) => Step },
): Step {
  const { calmSinceMs = nowMs } = ladder
  if (nowMs - calmSinceMs < policy.calmMinutes * MINUTE_MS) return { kind: 'stay', ladder: { ...ladder, calmSinceMs } }
  const before = rungs[rankOf(ladder.rung) - 1]
  // Each rung is undone after a calm of its own: what was held back may come back with it.
  return before ? to(before, 'calm', nowMs) : { kind: 'over', why: 'calm' }
}

export const harms = (verdict: Verdict | undefined): boolean =>
  verdict !== undefined && (verdict.kind === 'noisy' || verdict.harms)

/** The lower of what the policy goes to and what an operator who lifted its measures allows. */
export const allowedRung = ({ rungMax }: NoisyPolicy, isLifted: boolean): Rung => (isLifted ? 'notify' : rungMax)

export const rankOf = (rung: Rung): number => rungs.indexOf(rung)

export function quarantineEndMs({ sinceMs, quarantines }: Ladder, { quarantineMinutes }: NoisyPolicy): number {
  const doublings = Math.min(QUARANTINE_DOUBLINGS_MAX, Math.max(0, quarantines - 1))
  return sinceMs + Math.min(QUARANTINE_MS_MAX, quarantineMinutes * 2 ** doublings * MINUTE_MS)
}

function dwellMs(rung: Exclude<Rung, 'quarantine'>, policy: NoisyPolicy): number {
  const minutes = {
    notify: policy.notifyMinutes,
    'lower-weight': policy.lowerWeightMinutes,
    throttle: policy.throttleMinutes,
  }
  return minutes[rung] * MINUTE_MS
}
