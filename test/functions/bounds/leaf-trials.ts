import type { JsonSchema } from '../../../src/http/openapi-document'
import { textExamples } from './text-examples'
import { accept, refuse, type Place, type Trial } from './trial'

/** Trials of a field that holds one value. */
export function leafTrials(place: Place): Trial[] {
  const { schema } = place
  if (schema.enum) return choiceTrials(place, schema.enum)
  if (schema.const !== undefined) return onlyTrials(place, schema.const)
  switch (schema.type) {
    case 'string':
      return textTrials(place)
    case 'integer':
    case 'number':
      return numberTrials(place)
    case 'boolean':
      return [
        ...[true, false].map((value) => accept(place, String(value), value)),
        ...['true', 1, null].map((value) => refuse(place, `being ${JSON.stringify(value)}`, value, /boolean/)),
      ]
    default:
      throw new Error(`there are no trials of ${place.field}: ${JSON.stringify(schema)}`)
  }
}

function choiceTrials(place: Place, choices: readonly unknown[]): Trial[] {
  const says = new RegExp(choices.map((choice) => `\\b${String(choice)}\\b`).join('.*'))
  return [
    ...choices.map((choice) => accept(place, `being ${String(choice)}`, choice)),
    ...['no-such-choice', '', 7, null].map((value) => refuse(place, `being ${JSON.stringify(value)}`, value, says)),
  ]
}

/** One value alone is valid. */
const onlyTrials = (place: Place, only: unknown): Trial[] => [
  accept(place, 'being what it must be', only),
  ...[false, 'true', 1, null].map((value) =>
    refuse(place, `being ${JSON.stringify(value)}`, value, new RegExp(`\\b${String(only)}\\b`)),
  ),
]

function textTrials(place: Place): Trial[] {
  const { minLength, maxLength } = place.schema
  const examples = textExamples(place.schema)
  const ofLength = (length: number) => 'x'.repeat(length)
  const bounded = (length: number) => (examples ? [] : [accept(place, `of ${length} characters`, ofLength(length))])
  if (!examples && maxLength === undefined)
    throw new Error(`${place.field} has no bound: ${JSON.stringify(place.schema)}`)
  return [
    ...[7, null, {}, ['text']].map((value) => refuse(place, `being ${JSON.stringify(value)}`, value, /string|^Must/)),
    ...(minLength === undefined
      ? []
      : [...bounded(minLength), refuse(place, 'one too short', ofLength(minLength - 1), saying(minLength))]),
    ...(maxLength === undefined
      ? []
      : [...bounded(maxLength), refuse(place, 'one too long', ofLength(maxLength + 1), saying(maxLength, '^Must'))]),
    ...(examples?.taken ?? []).map((text) => accept(place, shown(text), text)),
    ...(examples?.refused ?? []).map((text) => refuse(place, shown(text), text, /^Must|<=|>=/)),
  ]
}

/** A message that names the bound. */
const saying = (bound: number, otherwise = '$never') => new RegExp(`${bound < 0 ? '' : '\\b'}${bound}\\b|${otherwise}`)

const shown = (text: string) => (text.length > 80 ? `"${text.slice(0, 60)}…" of ${text.length}` : JSON.stringify(text))

function numberTrials(place: Place): Trial[] {
  const { type, maximum } = place.schema
  const step = type === 'integer' ? 1 : 0.001
  const least = leastOf(place.schema)
  if (least === undefined || maximum === undefined) throw new Error(`${place.field} has no bound`)
  return [
    ...['1', null, true, [1]].map((value) => refuse(place, `being ${JSON.stringify(value)}`, value, /number|int/)),
    ...(type === 'integer' ? [refuse(place, 'being a fraction', least.value + 0.5, /int/)] : []),
    accept(place, `being ${least.value}`, least.value),
    refuse(place, `being ${least.below}`, least.below, saying(least.bound)),
    accept(place, `being ${maximum}`, maximum),
    refuse(place, `being ${maximum + step}`, maximum + step, new RegExp(`\\b${maximum}\\b`)),
  ]
}

/** The smallest that is valid, and one that is too small. */
function leastOf({ minimum, exclusiveMinimum }: JsonSchema) {
  if (minimum !== undefined) return { value: minimum, below: minimum - 1, bound: minimum }
  if (exclusiveMinimum === undefined) return undefined
  return { value: exclusiveMinimum + 0.001, below: exclusiveMinimum, bound: exclusiveMinimum }
}
