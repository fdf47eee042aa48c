/** Calls that count for an objective. */
export interface Tally {
  readonly good: number
  readonly bad: number
}

export const noCalls: Tally = { good: 0, bad: 0 }

export const plus = (a: Tally, b: Tally): Tally => ({ good: a.good + b.good, bad: a.bad + b.bad })

export const isEmpty = ({ good, bad }: Tally): boolean => good + bad === 0
