import { Problem } from '../../base/problem'
import { invalid, readBoolean } from '../body-fields'
import type { Body, Operation, Reading } from '../operation'
import { inputTokens } from '../text-tokens'

export const embeddings: Operation = {
  name: 'embeddings',
  method: 'POST',
  path: '/embeddings',
  capability: 'embeddings',
  body: 'json',
  events: undefined,
  read,
  promptTokens: ({ body }) => inputTokens(body['input']),
  outputField: undefined,
}

function read(body: Body): Reading | Problem {
  const { input } = body
  const isInput = (typeof input === 'string' && input !== '') || (Array.isArray(input) && input.length > 0)
  if (!isInput) return invalid('input', 'must be a string, an array of strings, or an array of tokens, and not empty')
  const stream = readBoolean(body, 'stream')
  if (stream instanceof Problem) return stream
  return { stream, wantsUsageChunk: false, outputTokens: undefined, outputParam: undefined, choices: 1 }
}
