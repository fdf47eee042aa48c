import { isJsonObject, type JsonObject } from '../json-value'
import type { TrainingMethod } from './trainable-models'
import type { LearnedAnswer, LearnedExample } from './tuned-model'

/** One line of training data. `texts` are all that is charged; `faulty` says in one sentence what is wrong. */
export type ReadExample =
  | {
      readonly kind: 'example'
      readonly texts: readonly string[]
      readonly messages: number
      readonly learned: readonly LearnedExample[]
    }
  | { readonly kind: 'faulty'; readonly reason: string }

const IMAGES_MAX = 10
const roles = ['system', 'developer', 'user', 'assistant', 'tool', 'function']
const answerRoles = ['assistant', 'tool']

/** Thrown by the readers below and caught at the line that is read. */
class FaultyLine extends Error {}
const faulty = (reason: string): never => {
  throw new FaultyLine(reason)
}

/** Reads one line as the service's validation does, for a method. */
export function readExample(line: string, method: TrainingMethod): ReadExample {
  try {
    const example = parse(line)
    switch (method) {
      case 'supervised':
        return readSupervised(example)
      case 'dpo':
        return readPreference(example)
      case 'reinforcement':
        return readQuestion(example)
    }
  } catch (error) {
    if (error instanceof FaultyLine) return { kind: 'faulty', reason: error.message }
    throw error
  }
}

interface Message {
  readonly role: string
  readonly text: string
  readonly weight: number
  readonly calls: readonly { readonly name: string; readonly arguments: string }[]
}

/** `{"messages":[…],"tools"?,"parallel_tool_calls"?}`, where every answer of the assistant is learned but those of weight 0. */
function readSupervised(example: JsonObject): ReadExample {
  const messages = readMessages(example['messages'], 'messages')
  const toolsText = readTools(example)
  if (!messages.some(({ role }) => role === 'assistant')) faulty('there is no message with the role assistant')
  const learned = messages.flatMap((message, index) =>
    message.role === 'assistant' && message.weight === 1 ? [lesson(messages.slice(0, index), message)] : [],
  )
  if (learned.length === 0) faulty('every message of the assistant has the weight 0')
  return { kind: 'example', texts: [...messages.flatMap(textsOf), ...toolsText], messages: messages.length, learned }
}

/** `{"input":{"messages"},"preferred_output":[…],"non_preferred_output":[…]}`: the preferred one is learned. */
function readPreference(example: JsonObject): ReadExample {
  const { input } = example
  if (!isJsonObject(input)) return faulty("'input' must be an object")
  const asked = readMessages(input['messages'], 'input.messages')
  const toolsText = readTools(input)
  const output = (name: string) => {
    const messages = readMessages(example[name], name)
    if (!messages.every(({ role }) => answerRoles.includes(role))) faulty(`'${name}' may have assistant and tool only`)
    if (!messages.some(({ role }) => role === 'assistant')) faulty(`'${name}' has no message with the role assistant`)
    return messages
  }
  const [preferred, other] = [output('preferred_output'), output('non_preferred_output')]
  const last = preferred.findLast(({ role }) => role === 'assistant')
  const all = [...asked, ...preferred, ...other]
  return {
    kind: 'example',
    texts: [...all.flatMap(textsOf), ...toolsText],
    messages: all.length,
    learned: last === undefined ? [] : [lesson(asked, last)],
  }
}

/** Messages that end with a question; what the grader compares with stands beside them and is known to it only. */
function readQuestion(example: JsonObject): ReadExample {
  const messages = readMessages(example['messages'], 'messages')
  if (messages.at(-1)?.role !== 'user') faulty('the last message must have the role user')
  return { kind: 'example', texts: messages.flatMap(textsOf), messages: messages.length, learned: [] }
}

/** A question of reinforcement with the answer that its grader would give full marks. */
export function gradedLesson(line: string, answer: (item: JsonObject) => string | undefined): LearnedExample[] {
  const item = parse(line)
  const text = answer(item)
  if (text === undefined) return []
  return [{ prompt: promptOf(readMessages(item['messages'], 'messages')), answer: { kind: 'text', text } }]
}

function parse(line: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return faulty('the line is not valid JSON')
  }
  return isJsonObject(value) ? value : faulty('the line is not a JSON object')
}

function readMessages(value: unknown, name: string): Message[] {
  if (value === undefined) return faulty(`'${name}' is missing`)
  if (!Array.isArray(value) || value.length === 0) return faulty(`'${name}' must be a list of at least one message`)
  const messages = value.map((message, index) => readMessage(message, `${name}[${index}]`))
  const images = value.reduce((sum: number, message) => sum + imagesIn(message), 0)
  if (images > IMAGES_MAX) faulty(`'${name}' has ${images} images; an example may have ${IMAGES_MAX}`)
  return messages
}

function readMessage(value: unknown, name: string): Message {
  if (!isJsonObject(value)) return faulty(`'${name}' must be an object`)
  const { role, content, weight } = value
  if (typeof role !== 'string' || !roles.includes(role))
    return faulty(`'${name}.role' must be one of ${roles.join(', ')}`)
  if (weight !== undefined && role !== 'assistant') faulty(`'${name}.weight' is for the role assistant only`)
  if (weight !== undefined && weight !== 0 && weight !== 1) faulty(`'${name}.weight' must be 0 or 1`)
  const calls = readCalls(value['tool_calls'], name)
  if (role === 'tool' && typeof value['tool_call_id'] !== 'string') faulty(`'${name}.tool_call_id' is missing`)
  const text = readContent(content, name)
  if (text === undefined && calls.length === 0) return faulty(`'${name}.content' is missing`)
  return { role, text: text ?? '', weight: weight === 0 ? 0 : 1, calls }
}

function readContent(content: unknown, name: string): string | undefined {
  if (content === undefined || content === null) return undefined
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return faulty(`'${name}.content' must be a text or a list of parts`)
  const texts = content.map((part, index) => readPart(part, `${name}.content[${index}]`))
  // Images are no text, neither here nor where a call of the model has them.
  return texts.filter((text) => text !== '').join('\n')
}

const IMAGE_URL = /^(https?:\/\/\S+|data:image\/(jpeg|png|webp);base64,[A-Za-z0-9+/=]+)$/

function readPart(part: unknown, name: string): string {
  const type = isJsonObject(part) ? part['type'] : undefined
  if (!isJsonObject(part) || typeof type !== 'string') return faulty(`'${name}.type' is missing`)
  if (type === 'text') return typeof part['text'] === 'string' ? part['text'] : faulty(`'${name}.text' must be a text`)
  if (type !== 'image_url') return faulty(`'${name}.type' must be text or image_url`)
  const image = part['image_url']
  const url = isJsonObject(image) ? image['url'] : undefined
  if (typeof url === 'string' && IMAGE_URL.test(url)) return ''
  return faulty(`'${name}.image_url.url' must be an address, or a JPEG, PNG or WEBP in base64`)
}

function imagesIn(message: unknown): number {
  const content = isJsonObject(message) ? message['content'] : undefined
  return Array.isArray(content)
    ? content.filter((part) => isJsonObject(part) && part['type'] === 'image_url').length
    : 0
}

function readCalls(value: unknown, name: string): Message['calls'] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return faulty(`'${name}.tool_calls' must be a list`)
  return value.map((call, index) => {
    const called: unknown = isJsonObject(call) ? call['function'] : undefined
    if (isJsonObject(called) && typeof called['name'] === 'string' && isJson(called['arguments'])) {
      return { name: called['name'], arguments: String(called['arguments']) }
    }
    return faulty(`'${name}.tool_calls[${index}].function' needs a name and arguments that are JSON`)
  })
}

function isJson(value: unknown): boolean {
  try {
    JSON.parse(String(value))
    return typeof value === 'string'
  } catch {
    return false
  }
}

function readTools({ tools }: JsonObject): string[] {
  if (tools === undefined || tools === null) return []
  const isTool = (tool: unknown) =>
    isJsonObject(tool) && isJsonObject(tool['function']) && typeof tool['function']['name'] === 'string'
  if (!Array.isArray(tools) || !tools.every(isTool)) return faulty("'tools' must be a list of functions with names")
  return tools.length === 0 ? [] : [JSON.stringify(tools)]
}

const textsOf = ({ role, text, calls }: Message): string[] => [
  role,
  text,
  ...calls.flatMap((call) => [call.name, call.arguments]),
]

/** In the form in which a call of the model has the same messages. */
const promptOf = (messages: readonly Message[]): LearnedExample['prompt'] =>
  messages.map(({ role, text, calls }) => {
    const said = text === '' && calls.length > 0 ? [] : [text]
    return [role, [...said, ...calls.flatMap((call) => [call.name, call.arguments])].join('\n')]
  })

const lesson = (before: readonly Message[], answer: Message): LearnedExample => ({
  prompt: promptOf(before),
  answer: answerOf(answer),
})

const answerOf = ({ text, calls }: Message): LearnedAnswer =>
  calls.length > 0 ? { kind: 'calls', calls } : { kind: 'text', text }
