/** What JSON calls an object, its fields not looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Neither a list nor null. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The fields of what somebody else wrote: none where it is no object. */
export const fieldsOf = (value: unknown): JsonObject => (isObject(value) ? value : {})
