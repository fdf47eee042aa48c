import type { Tally } from './tally'

/**
 * How fast an error budget is spent, and when that is an incident. Pure.
 *
 * A burn rate of 1 spends exactly the budget in the month; 14.4 spends 2 % of a 30-day month's in one hour, 6 spends 5 % in six
 * hours. Source: Google, The Site Reliability Workbook, chapter 5 "Alerting on SLOs", section 6 "Multiwindow, Multi-Burn-Rate
 * Alerts", table 5-8; of its three rules the two that page. Both windows of a rule must burn: the long one says that it
 * matters, the short one that it still goes on.
 */
interface BurnRule {
  readonly name: 'fast' | 'slow'
  readonly longMinutes: number
  readonly shortMinutes: number
  readonly burnMin: number
}

export const burnRules: readonly [BurnRule, BurnRule] = [
  { name: 'fast', longMinutes: 60, shortMinutes: 5, burnMin: 14.4 },
  { name: 'slow', longMinutes: 360, shortMinutes: 30, burnMin: 6 },
]

export const LONGEST_WINDOW_MINUTES = 360
/** Burning has to be as fresh as this to open an incident: the slow rule alone would open one half an hour after the last failure. */
export const FRESH_MINUTES = 5
/** In a rule's short window. With little traffic one call alone can be a burn rate of 1,000 (the Workbook, "Low-Traffic Services"). */
const BAD_CALLS_MIN = 3

/**
 * A rule burns at the latest when so many of the calls of both its windows are bad: of an objective of 90 % even an outage of everything
 * burns at 10 only, and would be no incident by the Workbook's figures alone.
 */
const BAD_SHARE_AT_LATEST: Readonly<Record<BurnRule['name'], number>> = { fast: 0.5, slow: 0.25 }

/** From which burn rate on the rule burns for an objective that wants this share of good calls. */
export const burnMinOf = ({ name, burnMin }: BurnRule, goodShare: number): number =>
  Math.min(burnMin, BAD_SHARE_AT_LATEST[name] / (1 - goodShare))

/** 0 where there were no calls. */
export function burnRate({ good, bad }: Tally, goodShare: number): number {
  return bad === 0 ? 0 : bad / (good + bad) / (1 - goodShare)
}

/** What was counted in the minutes (`minute - minutes`, `minute`]. */
export type CountedIn = (minutes: number) => Tally

export interface Burning {
  readonly rule: BurnRule
  readonly longBurn: number
  readonly shortBurn: number
}

/** The first rule by which it is an incident; undefined where it is none by any. */
export function burningBy(countedIn: CountedIn, goodShare: number): Burning | undefined {
  // Nearly always.
  if (countedIn(FRESH_MINUTES).bad === 0) return undefined
  for (const rule of burnRules) {
    const short = countedIn(rule.shortMinutes)
    const [longBurn, shortBurn] = [burnRate(countedIn(rule.longMinutes), goodShare), burnRate(short, goodShare)]
    const burnMin = burnMinOf(rule, goodShare)
    if (short.bad >= BAD_CALLS_MIN && longBurn >= burnMin && shortBurn >= burnMin) return { rule, longBurn, shortBurn }
  }
  return undefined
}

/** Of the error budget of a span: a share of the bad calls that it may have, which is what its burn rate says. Over 1 it is overspent. */
export const spentShare = burnRate
