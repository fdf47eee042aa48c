import type { JsonSchema } from '../../../src/http/openapi-document'
import { resolveSchema } from '../../../src/http/openapi-schemas'
import { leafTrials } from './leaf-trials'
import { accept, refuse, type Place, type Trial } from './trial'

/** The bounds of every field that a sound value has, from its schema. Throws for a schema that it has no trials for. */
export function trialsOf(schema: JsonSchema, value: unknown, components: Place['components']): Trial[] {
  return walk({ schema, value, components, field: '', path: '', put: (whole) => whole })
}

function walk(place: Place): Trial[] {
  const schema = resolveSchema(place.components, place.schema)
  const here = { ...place, schema }
  const value = schema.anyOf?.find(({ type }) => type !== 'null')
  if (value && schema.anyOf?.length === 2) return nullableTrials(here, value)
  if (schema.oneOf) return variantTrials(here, schema.oneOf)
  if (schema.type === 'array') return arrayTrials(here)
  if (schema.type !== 'object') return leafTrials(here)
  if (isFree(schema)) return freeTrials(here)
  return typeof schema.additionalProperties === 'object' ? recordTrials(here) : objectTrials(here)
}

function nullableTrials(place: Place, value: JsonSchema): Trial[] {
  const trials = walk({ ...place, schema: value })
  // Of a value with variants, the trial's field names the variant too.
  const isNull = ({ field, what }: Trial) => field.replace(/<[^<>]*>$/, '') === place.field && what === 'being null'
  return [...trials.filter((trial) => !isNull(trial)), accept(place, 'being null', null)]
}

const childOf = (place: Place, name: string): Pick<Place, 'path' | 'components'> => ({
  path: place.path === '' ? name : `${place.path}.${name}`,
  components: place.components,
})

function objectTrials(place: Place): Trial[] {
  const { properties = {}, required = [] } = place.schema
  const value = objectAt(place)
  const placeOf = (name: string, schema: JsonSchema): Place => ({
    ...childOf(place, name),
    schema,
    value: value[name],
    field: place.field === '' ? name : `${place.field}.${name}`,
    put: (changed) => place.put({ ...value, [name]: changed }),
  })
  const leftOut = (name: string, at: Place) =>
    required.includes(name) ? refuse(at, 'left out', undefined, /expected|^Must/) : accept(at, 'left out', undefined)
  return [
    ...['text', null, []].map((wrong) => refuse(place, `being ${JSON.stringify(wrong)}`, wrong, /object/)),
    refuse(placeOf('surplus', {}), 'that nobody knows', 1, /no such field/),
    ...Object.entries(properties)
      .filter(([name]) => value[name] !== undefined)
      .flatMap(([name, schema]) => {
        const at = placeOf(name, schema)
        return [leftOut(name, at), ...walk(at)]
      }),
  ]
}

/** An object whose fields are not ours to know. */
export const isFree = ({ type, properties, additionalProperties }: JsonSchema): boolean =>
  type === 'object' &&
  properties === undefined &&
  typeof additionalProperties === 'object' &&
  Object.keys(additionalProperties).length === 0

const freeTrials = (place: Place): Trial[] => [
  accept(place, 'as it is', place.value),
  ...['text', null, []].map((wrong) => refuse(place, `being ${JSON.stringify(wrong)}`, wrong, /record|object/)),
]

function recordTrials(place: Place): Trial[] {
  const { additionalProperties, maxProperties } = place.schema
  const entries = Object.entries(objectAt(place))
  const [first] = entries
  if (!first || typeof additionalProperties !== 'object') throw new Error(`${place.path} needs an entry`)
  const [key, value] = first
  if (maxProperties === undefined) throw new Error(`${place.path} has no bound`)
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => (i === 0 ? first : [`${key}${i}`, value])))
  return [
    ...['text', null, []].map((wrong) => refuse(place, `being ${JSON.stringify(wrong)}`, wrong, /record|object/)),
    accept(place, `of ${maxProperties}`, many(maxProperties)),
    refuse(place, `of ${maxProperties + 1}`, many(maxProperties + 1), new RegExp(`${maxProperties}\\b`)),
    ...walk({
      ...childOf(place, key),
      schema: additionalProperties,
      value,
      field: `${place.field}{}`,
      put: (changed) => place.put({ ...Object.fromEntries(entries), [key]: changed }),
    }),
  ]
}

function arrayTrials(place: Place): Trial[] {
  const { items = {}, minItems = 0, maxItems } = place.schema
  const value: readonly unknown[] = Array.isArray(place.value) ? place.value : []
  if (value.length === 0) throw new Error(`${place.path} needs an item`)
  if (maxItems === undefined) throw new Error(`${place.path} has no bound`)
  const many = (count: number) => Array.from({ length: count }, (_, i) => value[i] ?? likeness(items, value[0], i))
  const below = refuse(place, `of ${minItems - 1}`, many(minItems - 1), new RegExp(`${minItems}\\b`))
  return [
    ...['text', null, {}].map((wrong) => refuse(place, `being ${JSON.stringify(wrong)}`, wrong, /array/)),
    accept(place, `of ${minItems}`, many(minItems)),
    accept(place, `of ${maxItems}`, many(maxItems)),
    refuse(place, `of ${maxItems + 1}`, many(maxItems + 1), new RegExp(`${maxItems}\\b`)),
    ...(minItems > 0 ? [below] : []),
    ...walk({
      ...childOf(place, '0'),
      schema: items,
      value: value[0],
      field: `${place.field}[]`,
      put: (changed) => place.put([changed, ...value.slice(1)]),
    }),
  ]
}

/** Another item of a list: under another name where it has one, since lists of ours do not name anything twice. */
function likeness(schema: JsonSchema, item: unknown, index: number): unknown {
  if (schema.enum) return schema.enum[index % schema.enum.length]
  if (typeof item === 'object' && item !== null && 'name' in item)
    return { ...item, name: `${String(item.name)}${index}` }
  if (typeof item !== 'string') return item
  const other = `${item}${index}`
  return schema.pattern === undefined || new RegExp(schema.pattern).test(other) ? other : item
}

function variantTrials(place: Place, variants: readonly JsonSchema[]): Trial[] {
  const value = objectAt(place)
  const kinds = variants.map(({ properties }) => properties?.['kind']?.const)
  const chosen = variants[kinds.indexOf(value['kind'])]
  if (!chosen) throw new Error(`${place.path} must be one of the variants ${kinds.join(', ')}`)
  const says = new RegExp(kinds.join('.*'))
  const kind = { ...place, path: `${place.path}.kind`, field: `${place.field}.kind` }
  const { properties = {}, ...rest } = chosen
  const others = Object.fromEntries(Object.entries(properties).filter(([name]) => name !== 'kind'))
  return [
    refuse(kind, 'that nobody knows', { ...value, kind: 'no-such-kind' }, says),
    refuse(kind, 'left out', { ...value, kind: undefined }, says),
    refuse(kind, 'being 7', { ...value, kind: 7 }, says),
    accept({ ...place, field: `${place.field}<${String(value['kind'])}>` }, 'as it is', value),
    ...objectTrials({
      ...place,
      schema: { ...rest, properties: others },
      field: `${place.field}<${String(value['kind'])}>`,
    }),
  ]
}

function objectAt({ value, path }: Place): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error(`${path || 'the body'} must be an object`)
  return Object.fromEntries(Object.entries(value))
}
