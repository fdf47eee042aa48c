import { isObject } from '../base/json-object'
import type { Body } from '../inference/operation'

/** What a request says, as far as it is measured: how many messages, and the text that says what it is about. */
export interface AskedConversation {
  readonly messages: number
  /** The beginning of what the user said last; empty where that has no text. A copy: it keeps no body in memory. */
  readonly text: string
}

/** Enough to tell language and topic, and what an embedding of it costs is bounded. */
export const TEXT_CHARACTERS_MAX = 2_000

/** A chat's messages, or the input of a response that goes on from no other. Undefined for what is neither. */
export function askedConversation(body: Body): AskedConversation | undefined {
  const { messages, input } = body
  // Of what it goes on from, nothing is here.
  if (isGiven(body['previous_response_id']) || isGiven(body['conversation'])) return undefined
  if (typeof input === 'string') return { messages: 1, text: copied(input) }
  const items = Array.isArray(messages) ? messages : Array.isArray(input) ? input : undefined
  if (!items) return undefined
  const said = items.filter(isObject)
  const last = said.findLast(({ role }) => role === 'user')
  return { messages: said.length, text: copied(textOf(last?.['content'])) }
}

/** Text of the content itself, or the first part that has some; of images and sound there is none. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  for (const part of content) if (isObject(part) && isString(part['text']) && part['text'] !== '') return part['text']
  return ''
}

/** A slice of a string keeps all of it in memory, so its characters are copied; half a character at the end is dropped. */
const copied = (text: string): string => {
  const piece = text.slice(0, TEXT_CHARACTERS_MAX)
  return Buffer.from(piece, 'utf16le').toString('utf16le').toWellFormed()
}

const isString = (value: unknown): value is string => typeof value === 'string'
const isGiven = (value: unknown): boolean => value !== undefined && value !== null
