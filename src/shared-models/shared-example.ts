import { isObject } from '../base/json-object'

/** An example as it may be shared: a conversation in text, and nothing else that could say whose it is. */
export interface SharedExample {
  readonly messages: readonly SharedMessage[]
}

export interface SharedMessage {
  readonly role: Role
  readonly content: string
  /** 0 keeps an assistant's message from being learned. */
  readonly weight?: 0 | 1
}

const roles = ['system', 'developer', 'user', 'assistant'] as const
type Role = (typeof roles)[number]

/** Why a line is no part of the shared data. */
export const leftOutReasons = [
  /** No conversation in text: tools, images, preferences, or not sound. */
  'shape',
  'too_long',
  /** Said before, in the same words. */
  'repeated',
  /** Chance has chosen others of this tenant's. */
  'sampled_out',
  /** Too many of its words are no common ones. */
  'uncommon',
  /** Something identifying was found in it after everything was removed. */
  'residual',
  /** Its tenant would have had too large a part. */
  'share',
] as const
export type LeftOut = (typeof leftOutReasons)[number]

/** Longer lines are left out: they would be cut from samples anyway, and each is looked through several times. */
export const EXAMPLE_BYTES_MAX = 128 * 1024
const MESSAGES_MAX = 200

/**
 * The example of a line, with `name` of its messages dropped. Only what is known for sure to be plain conversation: ids of tool calls,
 * arguments and schemas may carry anything. Pure.
 */
export function readSharedExample(line: Uint8Array): SharedExample | LeftOut {
  if (line.length > EXAMPLE_BYTES_MAX) return 'too_long'
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8'))
  } catch {
    return 'shape'
  }
  if (!isObject(value) || Object.keys(value).some((key) => key !== 'messages')) return 'shape'
  const given = value['messages']
  if (!Array.isArray(given) || given.length === 0 || given.length > MESSAGES_MAX) return 'shape'
  const messages = given.map(readMessage)
  if (!messages.every((message) => message !== undefined)) return 'shape'
  const isTaught = messages.some(({ role, weight }) => role === 'assistant' && weight !== 0)
  return isTaught && messages.at(-1)?.role === 'assistant' ? { messages } : 'shape'
}

const KEYS = new Set(['role', 'content', 'name', 'weight'])

function readMessage(value: unknown): SharedMessage | undefined {
  if (!isObject(value) || Object.keys(value).some((key) => !KEYS.has(key))) return undefined
  const role = roles.find((known) => known === value['role'])
  const content = textOf(value['content'])
  const { weight } = value
  if (!role || content === undefined || content.trim() === '') return undefined
  if (weight === undefined) return { role, content }
  return (weight === 0 || weight === 1) && role === 'assistant' ? { role, content, weight } : undefined
}

function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return undefined
  const parts = content.map((part: unknown) =>
    isObject(part) && part['type'] === 'text' && typeof part['text'] === 'string' ? part['text'] : undefined,
  )
  return parts.every((part) => part !== undefined) ? parts.join('\n') : undefined
}

/** With the keys in one order, so that equal examples are equal lines. */
export const sharedLine = ({ messages }: SharedExample): string =>
  JSON.stringify({
    messages: messages.map(({ role, content, weight }) => ({
      role,
      content,
      ...(weight === undefined ? {} : { weight }),
    })),
  })

/** Of a line that `sharedLine` wrote. */
export const exampleOf = (line: string): SharedExample => JSON.parse(line) as SharedExample

/** The example with every text edited. */
export const withTexts = ({ messages }: SharedExample, edit: (text: string) => string): SharedExample => ({
  messages: messages.map((message) => ({ ...message, content: edit(message.content) })),
})
