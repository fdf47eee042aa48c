/** What both sides count of a deployment: requests that were answered, and their tokens. Whole numbers. */
export interface CountedUse {
  readonly requests: number
  readonly promptTokens: number
  readonly outputTokens: number
}

export const countedFields = [
  'requests',
  'promptTokens',
  'outputTokens',
] as const satisfies readonly (keyof CountedUse)[]
export type CountedField = (typeof countedFields)[number]

export const nothingCounted: CountedUse = { requests: 0, promptTokens: 0, outputTokens: 0 }

/** Field by field. */
export function mapCounted(of: (field: CountedField) => number): CountedUse {
  return { requests: of('requests'), promptTokens: of('promptTokens'), outputTokens: of('outputTokens') }
}

export const addCounted = (one: CountedUse, other: CountedUse): CountedUse =>
  mapCounted((field) => one[field] + other[field])

export const isNothing = (counted: CountedUse): boolean => countedFields.every((field) => counted[field] === 0)
