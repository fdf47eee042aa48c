import type { JsonSchema, OpenApiParameter } from '../../../src/http/openapi-document'
import { leafTrials } from './leaf-trials'
import { accept, refuse, type Place, type Trial } from './trial'

/** Trials of one parameter, each with the whole query as text. */
export function queryTrials(
  { name, schema, required }: OpenApiParameter,
  others: Readonly<Record<string, string>>,
): Trial[] {
  const queryOf = (value: unknown) => new URLSearchParams({ ...others, [name]: String(value) }).toString()
  const place: Place = { schema, field: name, path: name, value: undefined, components: {}, put: queryOf }
  const withoutIt = Object.fromEntries(Object.entries(others).filter(([other]) => other !== name))
  const leftOut = { ...place, put: () => new URLSearchParams(withoutIt).toString() }
  const twice = { ...place, put: (value: unknown) => `${queryOf(value)}&${name}=${String(value)}` }
  return [
    required ? refuse(leftOut, 'left out', undefined, /expected|^Must/) : accept(leftOut, 'left out', undefined),
    refuse(twice, 'sent twice', schema.default ?? '', /once/),
    ...(schema.type === 'integer' ? wholeNumberTrials(place) : textTrials(place)),
  ]
}

/** A query is text: what a body can get wrong by another type, it cannot. */
function textTrials(place: Place): Trial[] {
  return leafTrials({ ...place, put: (value) => value })
    .filter(({ sent }) => typeof sent === 'string')
    .map((trial) => ({ ...trial, sent: place.put(trial.sent) }))
}

function wholeNumberTrials(place: Place): Trial[] {
  const { least, most } = rangeOf(place.schema)
  const beside = [least - 1, most + 1]
  return [
    ...[least, most].map((value) => accept(place, `being ${value}`, value)),
    ...beside.map((value, i) => refuse(place, `being ${value}`, value, new RegExp(`\\b${[least, most][i]}\\b`))),
    ...['ten', '1.5', '', ' ', ' 1', '1e1', '0x1', '+1', 'Infinity', '٣'].map((text) =>
      refuse(place, `being "${text}"`, text, /whole number/),
    ),
  ]
}

/** A number without a bound of its own ends where JavaScript can no longer count. */
function rangeOf({ minimum, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema) {
  if (minimum === undefined) throw new Error('a number in a query needs a bound')
  return { least: minimum, most: maximum }
}
