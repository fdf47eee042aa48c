import { invalidRequest, unparsableJson, type Refusal } from './errors'
import { describeType, isJsonObject, type JsonObject } from './json-value'

/** A request that OpenAI's own validation would refuse. Thrown by readers and caught where the body is parsed. */
export class InvalidRequest extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super('invalid request')
    this.refusal = refusal
  }
}

/** A body that is one JSON object. Throws InvalidRequest. */
export function parseJson(text: string): JsonObject {
  try {
    const body: unknown = JSON.parse(text)
    if (isJsonObject(body)) return body
  } catch {
    // Refused below, as JSON that is no object is.
  }
  throw new InvalidRequest(unparsableJson)
}

export function refuse(message: string, param: string, code: string | null): never {
  throw new InvalidRequest(invalidRequest(message, { param, code }))
}

export function refuseType(param: string, expected: string, value: unknown): never {
  return refuse(
    `Invalid type for '${param}': expected ${expected}, but got ${describeType(value)} instead.`,
    param,
    'invalid_type',
  )
}

export function requireField(value: unknown, param: string): void {
  if (value === undefined) refuse(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter')
}

/** A number of the request, undefined when absent or null. */
export function readNumber(
  value: unknown,
  param: string,
  bounds: { whole: boolean; min: number; max: number },
): number | undefined {
  if (value === undefined || value === null) return undefined
  const noun = bounds.whole ? 'integer' : 'decimal'
  if (typeof value !== 'number' || (bounds.whole && !Number.isInteger(value))) {
    return refuseType(param, bounds.whole ? 'an integer' : 'a decimal', value)
  }
  if (value < bounds.min) {
    const text = `Invalid '${param}': ${noun} below minimum value. Expected a value >= ${bounds.min}, but got ${value} instead.`
    refuse(text, param, `${noun}_below_min_value`)
  }
  if (value > bounds.max) {
    const text = `Invalid '${param}': ${noun} above maximum value. Expected a value <= ${bounds.max}, but got ${value} instead.`
    refuse(text, param, `${noun}_above_max_value`)
  }
  return value
}

export function readBoolean(value: unknown, param: string): boolean | undefined {
  if (value === undefined || value === null) return undefined
  return typeof value === 'boolean' ? value : refuseType(param, 'a boolean', value)
}

/** A list with no more than `itemsMax` items and at least one. */
export function readList(value: unknown, param: string, of: string, itemsMax: number): readonly unknown[] {
  if (!Array.isArray(value)) return refuseType(param, `an array of ${of}`, value)
  if (value.length === 0) {
    const text = `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`
    refuse(text, param, 'empty_array')
  }
  if (value.length > itemsMax) {
    const text = `Invalid '${param}': array too long. Expected an array with maximum length ${itemsMax}, but got an array with length ${value.length} instead.`
    refuse(text, param, 'array_above_max_length')
  }
  return value
}

export function readChoice<T extends string>(value: unknown, param: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value)
  if (found !== undefined) return found
  if (typeof value !== 'string') return refuseType(param, `one of ${quoted(choices)}`, value)
  return refuse(`Invalid value: '${value}'. Supported values are: ${quoted(choices)}.`, param, 'invalid_value')
}

function quoted(choices: readonly string[]): string {
  const last = choices.at(-1)
  return choices.length < 2
    ? `'${last}'`
    : `${choices
        .slice(0, -1)
        .map((choice) => `'${choice}'`)
        .join(', ')}, and '${last}'`
}
