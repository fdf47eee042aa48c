import { isObject, type JsonObject } from '../base/json-object'
import { checkMessages } from './check-messages'
import { checkKeys } from './check-keys'
import { checkTools, type Tools } from './check-tools'
import type { ExampleParts } from './example-parts'
import type { FaultList } from './fault-list'
import { isList, kindOf } from './json-kinds'
import type { TrainingMethod } from './training-models'

/** What the checks of an example need to know, and where they put what they find. */
export interface ExampleCheck {
  readonly faults: FaultList
  readonly parts: ExampleParts
  /** Whether the base model takes images. */
  readonly images: boolean
}

/** Checks one line's value against the format of the method. Sources: azure-facts 3.2; Microsoft, "Direct preference optimization". */
export function checkExample(value: unknown, method: TrainingMethod, check: ExampleCheck): void {
  if (!isObject(value)) return check.faults.add('not_an_object', '', `The line is ${kindOf(value)}.`)
  switch (method) {
    case 'supervised':
      return checkSupervised(value, check)
    case 'dpo':
      return checkPreference(value, check)
    case 'reinforcement':
      return checkReinforcement(value, check)
  }
}

const CONVERSATION_KEYS = ['messages', 'tools', 'parallel_tool_calls', 'functions']

function checkSupervised(example: JsonObject, check: ExampleCheck): void {
  checkKeys(example, CONVERSATION_KEYS, '', check.faults)
  checkConversation(example, '', 'answer', check)
}

/** Other keys are columns that graders read as `{{item.…}}`. */
function checkReinforcement(example: JsonObject, check: ExampleCheck): void {
  checkConversation(example, '', 'question', check)
}

const PREFERENCE_KEYS = ['input', 'preferred_output', 'non_preferred_output']

function checkPreference(example: JsonObject, check: ExampleCheck): void {
  const { faults } = check
  checkKeys(example, PREFERENCE_KEYS, '', faults)
  const { input } = example
  if (input === undefined) return faults.add('missing_key', 'input', 'The example has no input.')
  if (!isObject(input)) return faults.add('wrong_type', 'input', `It is ${kindOf(input)}, not an object.`)
  checkKeys(input, CONVERSATION_KEYS, 'input.', faults)
  const tools = checkConversation(input, 'input.', 'context', check)
  for (const key of ['preferred_output', 'non_preferred_output'])
    checkMessages(example[key], { path: key, ends: 'output', tools }, check)
  const { preferred_output: preferred, non_preferred_output: other } = example
  if (isList(preferred) && isList(other) && JSON.stringify(preferred) === JSON.stringify(other))
    faults.add('outputs_equal', 'non_preferred_output', 'It is the same as the preferred output.')
}

function checkConversation(
  conversation: JsonObject,
  prefix: string,
  ends: 'answer' | 'question' | 'context',
  check: ExampleCheck,
): Tools {
  const tools = checkTools(conversation, prefix, check)
  checkMessages(conversation['messages'], { path: `${prefix}messages`, ends, tools }, check)
  return tools
}
