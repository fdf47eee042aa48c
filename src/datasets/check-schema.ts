import { isObject, type JsonObject } from '../base/json-object'
import { SCHEMA_DEPTH_MAX } from './dataset-bounds'
import type { FaultList } from './fault-list'
import { isList, kindOf, shown } from './json-kinds'

/**
 * Checks the shape of a function's parameters: a JSON Schema of an object. The keywords that say what a call may look
 * like have the types that JSON Schema gives them; what it does not know is let pass, since schemas may be extended.
 * Source: JSON Schema 2020-12, "Applicators" and "Validation".
 */
export function checkSchema(parameters: unknown, path: string, faults: FaultList): void {
  if (!isObject(parameters)) return faults.add('tool_schema_invalid', path, `It is ${kindOf(parameters)}.`)
  // A function without parameters may leave everything out.
  const { type } = parameters
  if (type !== undefined && type !== 'object' && !(isList(type) && type.includes('object')))
    faults.add('tool_schema_invalid', `${path}.type`, 'The outermost type is not “object”.')
  checkNode(parameters, path, 0, faults)
}

const types = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])
const schemaKeys = ['items', 'not', 'if', 'then', 'else', 'contains', 'propertyNames', 'additionalProperties']
const schemaLists = ['anyOf', 'oneOf', 'allOf', 'prefixItems']
const schemaMaps = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']

function checkNode(schema: unknown, path: string, depth: number, faults: FaultList): void {
  // true lets anything pass, false nothing.
  if (typeof schema === 'boolean') return
  if (!isObject(schema)) return faults.add('tool_schema_invalid', path, `It is ${kindOf(schema)}, not a schema.`)
  if (depth > SCHEMA_DEPTH_MAX)
    return faults.add('tool_schema_invalid', path, `It lies more than ${SCHEMA_DEPTH_MAX} schemas deep.`)
  checkKeywords(schema, path, faults)
  for (const key of schemaKeys)
    if (schema[key] !== undefined) checkNode(schema[key], `${path}.${key}`, depth + 1, faults)
  for (const key of schemaLists) checkEach(schema[key], `${path}.${key}`, depth, faults)
  for (const key of schemaMaps) checkMap(schema[key], `${path}.${key}`, depth, faults)
}

function checkEach(list: unknown, path: string, depth: number, faults: FaultList): void {
  if (list === undefined) return
  if (!isList(list) || list.length === 0)
    return faults.add('tool_schema_invalid', path, `It is ${kindOf(list)}, not a list of schemas.`)
  for (const [i, schema] of list.entries()) checkNode(schema, `${path}[${i}]`, depth + 1, faults)
}

function checkMap(map: unknown, path: string, depth: number, faults: FaultList): void {
  if (map === undefined) return
  if (!isObject(map)) return faults.add('tool_schema_invalid', path, `It is ${kindOf(map)}, not schemas by name.`)
  for (const [i, [name, schema]] of Object.entries(map).entries())
    checkNode(schema, PROPERTY.test(name) ? `${path}.${name}` : `${path}[${i}]`, depth + 1, faults)
}

/** What may stand in a path as it is. */
const PROPERTY = /^[A-Za-z_][A-Za-z0-9_-]{0,31}$/

function checkKeywords(schema: JsonObject, path: string, faults: FaultList): void {
  const { type, required, enum: values } = schema
  const named = isList(type) ? type : type === undefined ? [] : [type]
  const unknown = named.find((one) => typeof one !== 'string' || !types.has(one))
  if (unknown !== undefined) faults.add('tool_schema_invalid', `${path}.type`, `${shown(unknown)} is no type.`)
  if (required !== undefined && !(isList(required) && required.every((name) => typeof name === 'string')))
    faults.add('tool_schema_invalid', `${path}.required`, `It is ${kindOf(required)}, not a list of names.`)
  if (values !== undefined && !isList(values))
    faults.add('tool_schema_invalid', `${path}.enum`, `It is ${kindOf(values)}, not a list of values.`)
}
