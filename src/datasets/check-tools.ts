import { isObject, type JsonObject } from '../base/json-object'
import { checkKeys } from './check-keys'
import { checkSchema } from './check-schema'
import type { ExampleCheck } from './check-example'
import { TOOLS_MAX } from './dataset-bounds'
import { isList, kindOf } from './json-kinds'

/** Of functions and of participants. Source: chat completions' `name`. */
export const NAME = /^[A-Za-z0-9_-]{1,64}$/

/** What an example says of its tools before anybody speaks. */
export interface Tools {
  /** By their names; empty where it lists none. */
  readonly names: ReadonlySet<string>
  readonly older: boolean
  readonly parallel: boolean
}

const NO_NAMES: ReadonlySet<string> = new Set()
const NO_TOOLS: Tools = { names: NO_NAMES, older: false, parallel: true }

/** Checks `tools`, `parallel_tool_calls` and the older `functions` of an example. Source: azure-facts 1.7. */
export function checkTools(conversation: JsonObject, prefix: string, check: ExampleCheck): Tools {
  const { tools, functions, parallel_tool_calls: parallel } = conversation
  if (tools === undefined && functions === undefined && parallel === undefined) return NO_TOOLS
  const { faults, parts } = check
  if (tools !== undefined && functions !== undefined)
    faults.add('tools_and_functions', `${prefix}functions`, 'The example has both.')
  if (parallel !== undefined && typeof parallel !== 'boolean')
    faults.add('wrong_type', `${prefix}parallel_tool_calls`, `It is ${kindOf(parallel)}, not true or false.`)
  const names = new Set<string>()
  for (const [key, list] of [
    ['tools', tools],
    ['functions', functions],
  ] as const) {
    if (list === undefined) continue
    checkDefinitions(list, { path: `${prefix}${key}`, older: key === 'functions', names }, check)
    parts.add(JSON.stringify(list), 'definitions')
  }
  return { names, older: functions !== undefined, parallel: parallel !== false }
}

interface DefinitionsPlace {
  readonly path: string
  readonly older: boolean
  readonly names: Set<string>
}

function checkDefinitions(list: unknown, { path, older, names }: DefinitionsPlace, check: ExampleCheck): void {
  const { faults } = check
  if (!isList(list)) return faults.add('wrong_type', path, `It is ${kindOf(list)}, not a list.`)
  if (list.length > TOOLS_MAX) return faults.add('too_many_tools', path, `The list has ${list.length}.`)
  for (const [i, tool] of list.entries()) {
    const at = `${path}[${i}]`
    const definition = older ? tool : definitionOf(tool, at, check)
    if (definition === undefined) continue
    if (isObject(definition)) checkFunction(definition, older ? at : `${at}.function`, names, check)
    else faults.add('tool_invalid', at, `There is ${kindOf(definition)} where the function’s definition should be.`)
  }
}

/** Undefined where the fault is already known. */
function definitionOf(tool: unknown, path: string, { faults }: ExampleCheck): unknown {
  if (!isObject(tool)) return faults.add('tool_invalid', path, `It is ${kindOf(tool)}, not a tool.`)
  checkKeys(tool, ['type', 'function'], `${path}.`, faults)
  if (tool['type'] !== 'function') return faults.add('tool_invalid', `${path}.type`, 'The type is not “function”.')
  return tool['function'] ?? null
}

const FUNCTION_KEYS = ['name', 'description', 'parameters', 'strict']

function checkFunction(definition: JsonObject, path: string, names: Set<string>, check: ExampleCheck): void {
  const { faults } = check
  checkKeys(definition, FUNCTION_KEYS, `${path}.`, faults)
  const { name, description, parameters, strict } = definition
  if (typeof name !== 'string' || !NAME.test(name))
    faults.add('name_invalid', `${path}.name`, name === undefined ? 'There is no name.' : 'The name cannot be used.')
  else if (names.has(name)) faults.add('tool_name_repeated', `${path}.name`, 'A tool before it has this name.')
  else names.add(name)
  if (description !== undefined && typeof description !== 'string')
    faults.add('wrong_type', `${path}.description`, `It is ${kindOf(description)}, not a text.`)
  if (strict !== undefined && strict !== null && typeof strict !== 'boolean')
    faults.add('wrong_type', `${path}.strict`, `It is ${kindOf(strict)}, not true or false.`)
  if (parameters !== undefined) checkSchema(parameters, `${path}.parameters`, faults)
}
