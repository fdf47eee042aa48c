import { isJsonObject, type JsonObject } from './json-value'

/** What is looked at below; a schema that says more is not judged. */
const understood = new Set([
  'type',
  'enum',
  'const',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'title',
  'description',
])

/** Whether a value certainly fits a JSON schema. A schema with anything else than the plain keywords is never certain. */
export function fitsSchema(value: unknown, schema: unknown): boolean {
  if (!isJsonObject(schema)) return schema === true
  if (Object.keys(schema).some((keyword) => !understood.has(keyword))) return false
  if ('const' in schema && !isSame(value, schema['const'])) return false
  if (Array.isArray(schema['enum']) && !schema['enum'].some((each) => isSame(value, each))) return false
  const { type } = schema
  const types = Array.isArray(type) ? type : [type]
  if (type !== undefined && !types.some((each) => isOfType(value, each))) return false
  if (Array.isArray(value)) return value.every((item) => fitsSchema(item, schema['items'] ?? true))
  return !isJsonObject(value) || fitsProperties(value, schema)
}

function fitsProperties(value: JsonObject, { properties, required, additionalProperties }: JsonObject): boolean {
  const known = isJsonObject(properties) ? properties : {}
  if (Array.isArray(required) && required.some((name) => !Object.hasOwn(value, String(name)))) return false
  return Object.entries(value).every(([name, each]) =>
    fitsSchema(each, Object.hasOwn(known, name) ? known[name] : (additionalProperties ?? true)),
  )
}

function isOfType(value: unknown, type: unknown): boolean {
  switch (type) {
    case 'object':
      return isJsonObject(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'null':
      return value === null
    default:
      return typeof value === type
  }
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)
