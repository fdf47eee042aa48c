import { isObject } from '../base/json-object'

/** One conversation that the models have not been trained on: what to ask, and what was wanted. */
export interface HeldOutExample {
  /** The request's messages, as the file has them. */
  readonly messages: readonly object[]
  readonly tools: readonly object[] | undefined
  readonly wanted: string
}

/**
 * Reads a line of a file for fine-tuning (azure-facts 3.2). What the last assistant message says is what was wanted, and all that
 * comes before is asked; of a pair for preferences, the preferred output to its input. Undefined where that message has no text of
 * its own (a call of a tool), where nothing comes before it, and where the line is no such conversation: there is nothing to
 * compare then.
 */
export function readHeldOutExample(line: string): HeldOutExample | undefined {
  const { messages, tools } = conversationOf(parsed(line)) ?? {}
  const last = messages?.at(-1)
  if (!messages || messages.length < 2 || !isObject(last) || last['role'] !== 'assistant') return undefined
  const wanted = textOf(last['content'])
  if (wanted === undefined || wanted === '') return undefined
  const asked = messages.slice(0, -1).filter(isObject)
  if (asked.length !== messages.length - 1) return undefined
  return {
    messages: asked.map(withoutWeight),
    tools: Array.isArray(tools) ? tools.filter(isObject) : undefined,
    wanted,
  }
}

interface Conversation {
  readonly messages: readonly unknown[]
  readonly tools: unknown
}

function conversationOf(value: unknown): Conversation | undefined {
  if (!isObject(value)) return undefined
  const { messages, tools, input, preferred_output: preferred } = value
  if (Array.isArray(messages)) return { messages, tools }
  if (!isObject(input) || !Array.isArray(input['messages']) || !Array.isArray(preferred)) return undefined
  const pair: readonly unknown[] = [...input['messages'], ...preferred]
  return { messages: pair, tools: input['tools'] }
}

/** `weight` says what to train on, and is no field of a request. */
const withoutWeight = ({ weight: _, ...message }: Record<string, unknown>): object => message

function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return undefined
  const parts = content.map((part: unknown) => (isObject(part) ? part['text'] : undefined))
  return parts.every((text) => typeof text === 'string') ? parts.join('') : undefined
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
