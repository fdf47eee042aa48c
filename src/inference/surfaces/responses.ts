import { Problem } from '../../base/problem'
import { asRead } from '../as-read'
import { invalid, readBoolean, readInteger } from '../body-fields'
import type { Keeping } from '../binding'
import type { Body, Operation, Reading } from '../operation'
import type { Call } from '../read-call'
import { referencesInResponse } from '../references'
import { textTokens, tokensOfBytes } from '../text-tokens'
import { contentTokens } from './chat-completions'

/** The API that answers in items, can think in the background, and goes on from what it answered before. */
export const responses: Operation = {
  name: 'responses',
  method: 'POST',
  path: '/responses',
  // Of an account, with the deployment in the body; dated versions have it since this one (azure-facts 1.1).
  since: '2025-03-01-preview',
  isOfAccount: true,
  capability: 'chat',
  body: 'json',
  events: 'responses',
  read,
  promptTokens,
  outputField: () => 'max_output_tokens',
  edits: (call) => asRead(call, ['input', 'tools']),
}

function read(body: Body): Reading | Problem {
  const { input } = body
  if (input !== undefined && input !== null && typeof input !== 'string' && !Array.isArray(input))
    return invalid('input', 'must be a string or an array of items')
  const stream = readBoolean(body, 'stream')
  if (stream instanceof Problem) return stream
  const outputTokens = readInteger(body, 'max_output_tokens', 1, Number.MAX_SAFE_INTEGER)
  if (outputTokens instanceof Problem) return outputTokens
  const keeping = readKeeping(body)
  if (keeping instanceof Problem) return keeping
  const references = referencesInResponse(body)
  if (references instanceof Problem) return references
  const outputParam = 'max_output_tokens'
  return { stream, wantsUsageChunk: true, outputTokens, outputParam, choices: 1, keeping, references }
}

function readKeeping(body: Body): Keeping | Problem {
  const isStored = isGiven(body['store']) ? readBoolean(body, 'store') : true
  if (isStored instanceof Problem) return isStored
  const isBackground = readBoolean(body, 'background')
  if (isBackground instanceof Problem) return isBackground
  if (isBackground && !isStored) return invalid('background', 'needs store to be true')
  const previousId = body['previous_response_id']
  if (!isGiven(previousId)) return { isStored, isBackground, previousId: undefined }
  if (typeof previousId !== 'string') return invalid('previous_response_id', 'must be the id of a response')
  return { isStored, isBackground, previousId }
}

/** Role and separators, as of a chat message. */
const TOKENS_PER_ITEM = 4

function promptTokens({ body, fields, earlierTokens = 0 }: Call): number {
  const { input, instructions } = body
  let tokens = earlierTokens
  if (typeof instructions === 'string') tokens += TOKENS_PER_ITEM + textTokens(instructions)
  if (typeof input === 'string') tokens += TOKENS_PER_ITEM + textTokens(input)
  else if (Array.isArray(input)) for (const item of input as readonly Body[]) tokens += itemTokens(item)
  for (const key of ['tools', 'text']) {
    const span = fields.spans.get(key)
    if (span) tokens += tokensOfBytes(span.end - span.start)
  }
  return tokens
}

/** What an item says: its content or output, the text of a call. What only its id names is not here to be counted. */
function itemTokens(item: Body): number {
  let tokens = TOKENS_PER_ITEM + contentTokens(item['content']) + contentTokens(item['output'])
  for (const key of ['arguments', 'input', 'encrypted_content']) {
    const text = item[key]
    if (typeof text === 'string') tokens += textTokens(text)
  }
  return tokens
}

const isGiven = (value: unknown) => value !== undefined && value !== null
