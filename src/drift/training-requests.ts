import { loadTokenCounter, endOfPiece, type CountTokens } from '../datasets/count-tokens'
import type { TrainingMethod } from '../datasets/training-models'
import { isObject } from '../base/json-object'
import type { Body } from '../inference/operation'
import { parseCall } from '../inference/read-call'
import { chatCompletions } from '../inference/surfaces/chat-completions'
import { Problem } from '../base/problem'
import { askedConversation } from './asked-conversation'
import type { AskedRequest } from './measure-request'

/** Of one example, whose prompts are parts of each other: what is beyond says nothing new. */
const REQUESTS_PER_EXAMPLE_MAX = 16
/** What the tokens of one answer are counted in; an answer beyond is counted by its length. */
const ANSWER_CHARACTERS_MAX = 64 * 1_024
const CHARACTERS_PER_TOKEN = 4

interface Exchange {
  readonly asked: readonly Body[]
  /** Undefined where the model is to find the answer itself. */
  readonly answer: readonly Body[] | undefined
}

/** Reads lines of a dataset as the requests that a model is trained to answer. */
export type ReadTrainingRequests = (line: Uint8Array) => readonly AskedRequest[]

/**
 * An example is as many requests as it has answers that are learned: each is a call with all that stands before it. They are put
 * together as clients would write them and measured by what measures calls, so that the two differ in what is asked and in nothing else.
 */
export async function loadTrainingRequests(method: TrainingMethod): Promise<ReadTrainingRequests> {
  const countTokens = await loadTokenCounter()
  return (line) => {
    const example = parsed(line)
    if (!example) return []
    const { tools } = example
    return exchangesOf(method, example)
      .slice(-REQUESTS_PER_EXAMPLE_MAX)
      .flatMap(({ asked, answer }) => {
        const request = requestOf({ messages: asked, ...(Array.isArray(tools) ? { tools } : {}) })
        return request ? [{ ...request, outputTokens: answer && answerTokens(countTokens, answer) }] : []
      })
  }
}

function exchangesOf(method: TrainingMethod, example: Body): readonly Exchange[] {
  switch (method) {
    case 'supervised': {
      const messages = bodiesOf(example['messages'])
      return messages.flatMap((message, at) =>
        at > 0 && message['role'] === 'assistant' && message['weight'] !== 0
          ? [{ asked: messages.slice(0, at), answer: [message] }]
          : [],
      )
    }
    case 'dpo': {
      const { input } = example
      const asked = isObject(input) ? bodiesOf(input['messages']) : []
      return [{ asked, answer: bodiesOf(example['preferred_output']) }]
    }
    case 'reinforcement':
      return [{ asked: bodiesOf(example['messages']), answer: undefined }]
  }
}

const targetOfChat = {
  kind: 'call',
  operation: chatCompletions,
  family: 'v1',
  deployment: undefined,
  apiVersion: undefined,
} as const

/** Read as a call is, by the data path's own reader. */
function requestOf(body: Body): Omit<AskedRequest, 'outputTokens'> | undefined {
  const call = parseCall(targetOfChat, Buffer.from(JSON.stringify({ model: 'example', ...body })))
  if (call instanceof Problem) return undefined
  const conversation = askedConversation(call.body)
  return conversation && { ...conversation, promptTokens: chatCompletions.promptTokens(call) }
}

/** What the model wrote: texts, and the calls of tools with their arguments. */
function answerTokens(countTokens: CountTokens, answer: readonly Body[]): number {
  let tokens = 0
  for (const message of answer.filter(({ role }) => role === 'assistant')) {
    tokens += tokensOf(countTokens, typeof message['content'] === 'string' ? message['content'] : '')
    for (const call of bodiesOf(message['tool_calls'])) {
      const { function: named } = call
      if (isObject(named)) tokens += tokensOf(countTokens, `${String(named['name'])} ${String(named['arguments'])}`)
    }
  }
  return tokens
}

function tokensOf(countTokens: CountTokens, text: string): number {
  const counted = Math.min(text.length, ANSWER_CHARACTERS_MAX)
  let tokens = Math.ceil((text.length - counted) / CHARACTERS_PER_TOKEN)
  for (let at = 0; at < counted;) {
    const end = endOfPiece(text, at)
    tokens += countTokens(text.slice(at, end))
    at = end
  }
  return tokens
}

function parsed(line: Uint8Array): Body | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const bodiesOf = (value: unknown): readonly Body[] => (Array.isArray(value) ? value.filter(isObject) : [])
