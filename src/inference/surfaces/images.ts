import { Problem } from '../../base/problem'
import { checkText, invalid, readBoolean, readInteger } from '../body-fields'
import { noMedia, noTokens, type TokenUsage } from '../../metering/usage-record'
import type { Body, Operation, Reading } from '../operation'
import { notOffered } from '../references'
import { usageOfAnswer } from '../read-usage'
import { textTokens } from '../text-tokens'

const IMAGES_MAX = 10
const PROMPT_CHARACTERS_MAX = 32_000
/** Output tokens of one image of a gpt-image model: the largest and best that a call may get, unless it asks for less. */
const TOKENS_BY_QUALITY: ReadonlyMap<unknown, number> = new Map([
  ['low', 408],
  ['medium', 1_584],
  ['high', 6_240],
])
const TOKENS_MAX = 6_240
/** An input image at high fidelity. */
const INPUT_IMAGE_TOKENS = 6_000

export const imageGenerations: Operation = {
  name: 'images.generations',
  method: 'POST',
  path: '/images/generations',
  capability: 'images',
  body: 'json',
  events: 'images',
  read: (body) => checkText(body, 'prompt', PROMPT_CHARACTERS_MAX) ?? readImages(body),
  promptTokens: ({ body }) => textTokens(String(body['prompt'])),
  outputField: undefined,
  requestedOutput: imageTokens,
  usageOf,
}

/** Like a generation, from images that come with the form. */
export const imageEdits: Operation = {
  name: 'images.edits',
  method: 'POST',
  path: '/images/edits',
  since: '2025-04-01-preview',
  capability: 'images',
  body: 'form',
  events: 'images',
  read: (body, files) => {
    // A form can name files in place of bringing them, in fields such as `image[0][file_id]`.
    const named = Object.keys(body).find((key) => key.includes('file_id'))
    if (named !== undefined) return notOffered(named.slice(0, 100))
    if (!files.some((name) => /^image(?:\[\d*\])?$/.test(name))) return invalid('image', 'must be a file')
    return checkText(body, 'prompt', PROMPT_CHARACTERS_MAX) ?? readImages(body)
  },
  promptTokens: ({ body, files }) => textTokens(String(body['prompt'])) + files.length * INPUT_IMAGE_TOKENS,
  outputField: undefined,
  requestedOutput: imageTokens,
  usageOf,
}

function readImages(body: Body): Reading | Problem {
  const stream = readBoolean(body, 'stream')
  if (stream instanceof Problem) return stream
  const choices = readInteger(body, 'n', 1, IMAGES_MAX)
  if (choices instanceof Problem) return choices
  return { stream, wantsUsageChunk: false, outputTokens: undefined, outputParam: undefined, choices: choices ?? 1 }
}

function imageTokens({ body }: { body: Body }): number {
  return TOKENS_BY_QUALITY.get(body['quality']) ?? TOKENS_MAX
}

/** Some models report tokens, all of them give images: an image is an object with its bytes or its address. */
function usageOf(answer: Buffer): TokenUsage | undefined {
  const reported = usageOfAnswer(answer)
  const images = occurrences(answer, '"b64_json"') || occurrences(answer, '"url"')
  if (!reported && images === 0) return undefined
  return { ...(reported ?? noTokens), media: { ...(reported?.media ?? noMedia), images } }
}

/** Within a JSON string its quotes would be escaped. */
function occurrences(answer: Buffer, key: string): number {
  let count = 0
  for (let at = answer.indexOf(key); at >= 0; at = answer.indexOf(key, at + key.length)) {
    const ends = answer.subarray(at + key.length, at + key.length + 2).toString('latin1')
    if (/^ ?:/.test(ends) && answer[at - 1] !== 0x5c) count++
  }
  return count
}
