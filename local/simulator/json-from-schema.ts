import { isJsonObject, type JsonObject } from './json-value'
import { pick, wholeBetween, type Random } from './random'
import { stringFromSchema } from './string-from-schema'

/** Depth from which optional parts are left out and the plainest branch is taken, so that a recursive schema ends. */
const DEPTH_FREE = 4
/** Depth at which a schema is held to be endless: it requires itself. */
const DEPTH_MAX = 24
const ITEMS_FREE_MAX = 3

/** A schema that no value can be made for. The caller answers 400, as the service does for schemas it refuses. */
export class UnusableSchema extends Error {}

/** A value that is valid against a JSON schema, the same for the same draws. Covers what structured outputs allow. */
export function jsonFromSchema(schema: unknown, random: Random): unknown {
  return makeValue({ root: schema, random, depth: 0 }, schema)
}

interface Making {
  readonly root: unknown
  readonly random: Random
  readonly depth: number
}

function makeValue(making: Making, schema: unknown): unknown {
  if (schema === true) return 'any'
  if (!isJsonObject(schema)) throw new UnusableSchema('a schema is an object')
  if (making.depth > DEPTH_MAX) throw new UnusableSchema('the schema requires itself without end')
  if (typeof schema['$ref'] === 'string') return makeReferred(making, schema, schema['$ref'])
  if ('const' in schema) return schema['const']
  if (Array.isArray(schema['enum'])) return pick(making.random, schema['enum'])
  const branches = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(branches)) return makeBranch(making, schema, branches)
  if (Array.isArray(schema['allOf'])) return makeValue(making, mergeAll(making, schema, schema['allOf']))
  return makeTyped(making, schema)
}

function makeReferred(making: Making, schema: JsonObject, reference: string): unknown {
  const { $ref: _, ...beside } = schema
  const target = resolve(making.root, reference)
  const deeper = { ...making, depth: making.depth + 1 }
  return makeValue(deeper, isJsonObject(target) && Object.keys(beside).length > 0 ? { ...target, ...beside } : target)
}

function resolve(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) throw new UnusableSchema(`only references within the schema: ${reference}`)
  let found = root
  for (const part of reference.slice(1).split('/').slice(1)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    found = isJsonObject(found) && Object.hasOwn(found, name) ? found[name] : undefined
  }
  if (found === undefined) throw new UnusableSchema(`nothing at ${reference}`)
  return found
}

/** Any branch while shallow; deeper down, the first that refers to nothing. What stands beside the branches holds too. */
function makeBranch(making: Making, schema: JsonObject, branches: readonly unknown[]): unknown {
  const plain = branches.filter((branch) => isJsonObject(branch) && isPlain(branch))
  const branch = making.depth < DEPTH_FREE || plain.length === 0 ? pick(making.random, branches) : plain[0]
  const { anyOf: _anyOf, oneOf: _oneOf, ...beside } = schema
  return makeValue(making, isJsonObject(branch) ? mergeSchemas(beside, branch) : branch)
}

function isPlain(schema: JsonObject): boolean {
  return !JSON.stringify(schema).includes('"$ref"')
}

function mergeAll(making: Making, schema: JsonObject, all: readonly unknown[]): JsonObject {
  const { allOf: _, ...beside } = schema
  return all.reduce<JsonObject>((merged, part) => {
    const referred = isJsonObject(part) && typeof part['$ref'] === 'string' ? resolve(making.root, part['$ref']) : part
    return isJsonObject(referred) ? mergeSchemas(merged, referred) : merged
  }, beside)
}

function mergeSchemas(one: JsonObject, two: JsonObject): JsonObject {
  const properties = { ...Object(one['properties']), ...Object(two['properties']) }
  const required = [...new Set([...listOf(one['required']), ...listOf(two['required'])])]
  const merged = { ...one, ...two }
  if (Object.keys(properties).length === 0) return merged
  return { ...merged, properties, required }
}

function makeTyped(making: Making, schema: JsonObject): unknown {
  const { type } = schema
  const chosen = Array.isArray(type) ? chooseType(making, type) : (type ?? impliedType(schema))
  switch (chosen) {
    case 'object':
      return makeObject(making, schema)
    case 'array':
      return makeArray(making, schema)
    case 'string':
      return stringFromSchema(schema, making.random)
    case 'integer':
      return makeNumber(making.random, schema, 1)
    case 'number':
      return makeNumber(making.random, schema, 0.01)
    case 'boolean':
      return making.random() < 0.5
    case 'null':
      return null
    default:
      throw new UnusableSchema(`unknown type: ${String(chosen)}`)
  }
}

function chooseType(making: Making, types: readonly unknown[]): unknown {
  if (making.depth >= DEPTH_FREE && types.includes('null')) return 'null'
  return pick(making.random, types)
}

function impliedType(schema: JsonObject): string {
  if ('properties' in schema || 'additionalProperties' in schema || 'required' in schema) return 'object'
  if ('items' in schema || 'prefixItems' in schema) return 'array'
  return 'minimum' in schema || 'maximum' in schema || 'multipleOf' in schema ? 'number' : 'string'
}

function makeObject(making: Making, schema: JsonObject): unknown {
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {}
  const required = listOf(schema['required'])
  const deeper = { ...making, depth: making.depth + 1 }
  const entries: [string, unknown][] = []
  for (const [name, property] of Object.entries(properties)) {
    const optional = !required.includes(name)
    if (optional && (making.depth >= DEPTH_FREE || making.random() < 0.3)) continue
    entries.push([name, makeValue(deeper, property)])
  }
  const additional = schema['additionalProperties']
  for (const name of required) {
    if (Object.hasOwn(properties, name)) continue
    if (additional === false) throw new UnusableSchema(`"${name}" is required and not allowed`)
    entries.push([name, makeValue(deeper, isJsonObject(additional) ? additional : { type: 'string' })])
  }
  for (let extra = 1; entries.length < numberOf(schema['minProperties'], 0); extra++) {
    entries.push([`extra_${extra}`, makeValue(deeper, isJsonObject(additional) ? additional : { type: 'string' })])
  }
  return Object.fromEntries(entries)
}

function makeArray(making: Making, schema: JsonObject): unknown[] {
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : []
  const min = Math.max(numberOf(schema['minItems'], 0), 0)
  const max = numberOf(schema['maxItems'], Math.max(min, ITEMS_FREE_MAX))
  const length = making.depth >= DEPTH_FREE ? min : wholeBetween(making.random, Math.max(min, Math.min(1, max)), max)
  const deeper = { ...making, depth: making.depth + 1 }
  const items = schema['items'] ?? { type: 'string' }
  const made: unknown[] = []
  // Equal items are drawn anew where they must differ, a bounded number of times.
  for (let tries = 0; made.length < length && tries < length * 20; tries++) {
    const item = makeValue(deeper, prefix[made.length] ?? items)
    const known = schema['uniqueItems'] === true && made.some((other) => JSON.stringify(other) === JSON.stringify(item))
    if (!known) made.push(item)
  }
  if (made.length < min) throw new UnusableSchema('not enough different items')
  return made
}

/** A number on a grid: of `multipleOf` where it is given, otherwise of `step`. */
function makeNumber(random: Random, schema: JsonObject, step: number): number {
  const grid = numberOf(schema['multipleOf'], step)
  const low = numberOf(schema['minimum'], Number.NEGATIVE_INFINITY)
  const high = numberOf(schema['maximum'], Number.POSITIVE_INFINITY)
  const above = numberOf(schema['exclusiveMinimum'], Number.NEGATIVE_INFINITY)
  const below = numberOf(schema['exclusiveMaximum'], Number.POSITIVE_INFINITY)
  let first = Math.max(Math.ceil(low / grid), Math.floor(above / grid) + 1)
  let last = Math.min(Math.floor(high / grid), Math.ceil(below / grid) - 1)
  if (!Number.isFinite(first)) first = Number.isFinite(last) ? Math.min(0, last) : 0
  if (!Number.isFinite(last)) last = first + 100
  if (first > last) {
    // No point of the default grid lies within: the bounds are closer together than its step.
    if (schema['multipleOf'] === undefined && step < 1) return (Math.max(low, above) + Math.min(high, below)) / 2
    throw new UnusableSchema('no number within the bounds')
  }
  const value = wholeBetween(random, first, last) * grid
  return Number(value.toPrecision(12))
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
