/** How much something matters, the least first: to be known, to be looked at today, to be looked at now. */
export const severities = ['notice', 'warning', 'critical'] as const
export type Severity = (typeof severities)[number]

export const isWorse = (one: Severity, than: Severity): boolean => severities.indexOf(one) > severities.indexOf(than)
