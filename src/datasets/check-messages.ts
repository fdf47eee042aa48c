import { isObject, type JsonObject } from '../base/json-object'
import { checkContent } from './check-content'
import type { ExampleCheck } from './check-example'
import { checkKeys } from './check-keys'
import { checkCalls } from './check-tool-calls'
import { NAME, type Tools } from './check-tools'
import type { TextClass } from './example-parts'
import { isList, kindOf, shown } from './json-kinds'
import { ToolTurns } from './tool-turns'

/** What a list of messages is there for, and so how it ends and who may speak. */
type Ending =
  /** Supervised: the assistant's last answer is learned. */
  | 'answer'
  /** Reinforcement: the model answers the user's last message itself. */
  | 'question'
  /** What both outputs of a preference answer. */
  | 'context'
  /** One of the outputs of a preference. */
  | 'output'

export interface MessagesPlace {
  readonly path: string
  readonly ends: Ending
  readonly tools: Tools
}

const roles = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const
type Role = (typeof roles)[number]
const OUTPUT_ROLES: readonly Role[] = ['assistant', 'tool']

const keysOf: Readonly<Record<Role, readonly string[]>> = {
  system: ['role', 'content', 'name'],
  developer: ['role', 'content', 'name'],
  user: ['role', 'content', 'name'],
  assistant: ['role', 'content', 'name', 'refusal', 'tool_calls', 'function_call', 'weight'],
  tool: ['role', 'content', 'tool_call_id', 'name'],
  function: ['role', 'content', 'name'],
}

/** Checks a list of messages and gathers its texts. */
export function checkMessages(messages: unknown, place: MessagesPlace, check: ExampleCheck): void {
  const { faults } = check
  if (messages === undefined) return faults.add('missing_key', place.path, 'The example has no such list.')
  if (!isList(messages))
    return faults.add('wrong_type', place.path, `It is ${kindOf(messages)}, not a list of messages.`)
  if (messages.length === 0) return faults.add('messages_empty', place.path, 'The list is empty.')
  const turns = new ToolTurns(faults)
  const seen: Seen = { last: undefined, answers: 0, learned: 0, system: false, developer: false, others: false }
  for (const [i, message] of messages.entries()) {
    const path = `${place.path}[${i}]`
    if (isObject(message)) checkMessage(message, path, { place, turns, seen }, check)
    else faults.add('wrong_type', path, `It is ${kindOf(message)}, not a message.`)
  }
  check.parts.messages += messages.length
  check.parts.conversations += 1
  turns.end()
  checkWhole(place, seen, messages.length, check)
}

/** What of the messages so far matters for the list as a whole. */
interface Seen {
  last: Role | undefined
  answers: number
  /** Answers whose weight is not 0. */
  learned: number
  system: boolean
  developer: boolean
  /** Whether anybody but system and developer has spoken. */
  others: boolean
}

interface Among {
  readonly place: MessagesPlace
  readonly turns: ToolTurns
  readonly seen: Seen
}

const isRole = (role: unknown): role is Role => roles.some((one) => one === role)

function checkMessage(message: JsonObject, path: string, { place, turns, seen }: Among, check: ExampleCheck): void {
  const { faults, parts } = check
  const { role, name } = message
  const allowed: readonly Role[] = place.ends === 'output' ? OUTPUT_ROLES : roles
  if (!isRole(role) || !allowed.includes(role)) {
    seen.last = undefined
    const what = role === undefined ? 'There is no role' : `The role is ${shown(role)}`
    return faults.add('unknown_role', `${path}.role`, `${what}; here it can be ${allowed.join(', ')}.`)
  }
  checkKeys(message, keysOf[role], `${path}.`, faults)
  if (name !== undefined || role === 'function') {
    if (typeof name !== 'string' || !NAME.test(name))
      faults.add('name_invalid', `${path}.name`, 'The name cannot be used.')
    else {
      parts.add(name, classOf(role))
      parts.names += 1
    }
  }
  seen.last = role
  if (role === 'assistant') return checkAnswer(message, path, { place, turns, seen }, check)
  if (role === 'tool' || role === 'function') {
    if (role === 'tool') turns.answer(message['tool_call_id'], path)
    seen.others = true
    return checkContent(message['content'], `${path}.content`, { textClass: 'tool', emptyAllowed: true }, check)
  }
  turns.other(path)
  if (role === 'user') seen.others = true
  else {
    if (seen.others) faults.add('system_not_first', path, `A ${role} message follows others.`)
    seen[role] = true
  }
  checkContent(message['content'], `${path}.content`, { textClass: classOf(role), emptyAllowed: false }, check)
}

function classOf(role: Role): TextClass {
  if (role === 'developer') return 'system'
  return role === 'function' ? 'tool' : role
}

function checkAnswer(message: JsonObject, path: string, { place, turns, seen }: Among, check: ExampleCheck): void {
  const { faults, parts } = check
  const { content, refusal, weight } = message
  seen.answers += 1
  seen.others = true
  if (weight !== undefined && place.ends !== 'answer')
    faults.add('weight_misplaced', `${path}.weight`, 'The method does not weigh messages.')
  else if (weight !== undefined && weight !== 0 && weight !== 1)
    faults.add(
      'weight_invalid',
      `${path}.weight`,
      `It is ${typeof weight === 'number' ? 'another number' : kindOf(weight)}.`,
    )
  if (weight !== 0) seen.learned += 1
  const textClass: TextClass = weight === 0 ? 'unlearned' : 'assistant'
  turns.other(path)
  const calls = checkCalls(message, { path, tools: place.tools, turns, textClass }, check)
  if (refusal !== undefined && refusal !== null) {
    if (typeof refusal === 'string') parts.add(refusal, textClass)
    else faults.add('wrong_type', `${path}.refusal`, `It is ${kindOf(refusal)}, not a text.`)
  }
  const saidElsewhere = calls || typeof refusal === 'string'
  if (saidElsewhere && (content === undefined || content === null)) return
  checkContent(content, `${path}.content`, { textClass, emptyAllowed: saidElsewhere }, check)
}

function checkWhole({ path, ends }: MessagesPlace, seen: Seen, length: number, { faults }: ExampleCheck): void {
  if (seen.system && seen.developer) faults.add('system_and_developer', path, 'Both have messages here.')
  const lastPath = `${path}[${length - 1}]`
  switch (ends) {
    case 'answer':
      if (seen.answers === 0) return faults.add('no_assistant_message', path, 'No message is the assistant’s.')
      if (seen.learned === 0) faults.add('weights_all_zero', path, 'Every assistant message has weight 0.')
      if (seen.last !== 'assistant' && seen.last !== undefined)
        faults.add('last_not_assistant', lastPath, `The last message is of the role ${seen.last}.`)
      return
    case 'question':
      if (seen.last !== 'user' && seen.last !== undefined)
        faults.add('last_not_user', lastPath, `The last message is of the role ${seen.last}.`)
      return
    case 'output':
      if (seen.answers === 0) faults.add('output_without_answer', path, 'No message is the assistant’s.')
      return
    case 'context':
      return
  }
}
