import { isObject, type JsonObject } from '../base/json-object'
import { checkKeys } from './check-keys'
import type { ExampleCheck } from './check-example'
import { NAME, type Tools } from './check-tools'
import type { TextClass } from './example-parts'
import { isList, kindOf } from './json-kinds'
import type { ToolTurns } from './tool-turns'

interface CallsPlace {
  readonly path: string
  readonly tools: Tools
  readonly turns: ToolTurns
  readonly textClass: TextClass
}

/** Checks what an assistant message calls. Whether it calls anything. */
export function checkCalls(message: JsonObject, place: CallsPlace, check: ExampleCheck): boolean {
  const { tool_calls: calls, function_call: older } = message
  const { faults } = check
  const { path, tools } = place
  if (older !== undefined && older !== null) {
    if (calls !== undefined || (tools.names.size > 0 && !tools.older))
      faults.add('tools_and_functions', `${path}.function_call`, 'The example has tools or tool_calls too.')
    checkCalled(older, `${path}.function_call`, place, check)
  }
  if (calls === undefined || calls === null) return older !== undefined && older !== null
  if (tools.older) faults.add('tools_and_functions', `${path}.tool_calls`, 'The example has functions.')
  if (!isList(calls) || calls.length === 0) {
    faults.add('tool_call_invalid', `${path}.tool_calls`, `It is ${kindOf(calls)}, not a list of calls.`)
    return true
  }
  if (calls.length > 1 && !tools.parallel)
    faults.add('parallel_calls_forbidden', `${path}.tool_calls`, `The message has ${calls.length} calls.`)
  for (const [i, call] of calls.entries()) checkCall(call, `${path}.tool_calls[${i}]`, place, check)
  return true
}

function checkCall(call: unknown, path: string, place: CallsPlace, check: ExampleCheck): void {
  const { faults } = check
  if (!isObject(call)) return faults.add('tool_call_invalid', path, `It is ${kindOf(call)}, not a call.`)
  checkKeys(call, ['id', 'type', 'function'], `${path}.`, faults)
  const { id, type } = call
  if (typeof id === 'string' && id !== '') place.turns.call(id, path)
  else faults.add('tool_call_invalid', `${path}.id`, `It is ${kindOf(id)}, not an id.`)
  if (type !== 'function') faults.add('tool_call_invalid', `${path}.type`, 'The type is not “function”.')
  checkCalled(call['function'], `${path}.function`, place, check)
}

function checkCalled(called: unknown, path: string, { tools, textClass }: CallsPlace, check: ExampleCheck): void {
  const { faults, parts } = check
  if (!isObject(called)) return faults.add('tool_call_invalid', path, `It is ${kindOf(called)}, not a function’s call.`)
  checkKeys(called, ['name', 'arguments'], `${path}.`, faults)
  const { name, arguments: given } = called
  if (typeof name !== 'string' || !NAME.test(name))
    faults.add('name_invalid', `${path}.name`, name === undefined ? 'There is no name.' : 'The name cannot be used.')
  else {
    parts.add(name, textClass)
    if (!tools.names.has(name))
      faults.add('function_not_defined', `${path}.name`, 'No tool of the example has this name.')
  }
  if (typeof given !== 'string')
    return faults.add('arguments_not_json', `${path}.arguments`, `It is ${kindOf(given)}, not a text that holds JSON.`)
  parts.add(given, textClass)
  if (!holdsObject(given)) faults.add('arguments_not_json', `${path}.arguments`, 'The text holds no JSON object.')
}

function holdsObject(text: string): boolean {
  try {
    return isObject(JSON.parse(text))
  } catch {
    return false
  }
}
