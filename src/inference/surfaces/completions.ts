import { Problem } from '../../base/problem'
import { invalid, readBoolean, readIncludeUsage, readInteger } from '../body-fields'
import type { Body, Operation, Reading } from '../operation'
import { inputTokens } from '../text-tokens'
import { usageChunk } from './chat-completions'

const CHOICES_MAX = 128
/** The provider answers a prompt that is left out as if it were this token. */
const PROMPT_DEFAULT = '<|endoftext|>'

/** The older text completions, which instruct models still serve. */
export const completions: Operation = {
  name: 'completions',
  method: 'POST',
  path: '/completions',
  capability: 'completions',
  body: 'json',
  events: 'completions',
  read,
  promptTokens: ({ body }) => inputTokens(body['prompt'] ?? PROMPT_DEFAULT),
  outputField: () => 'max_tokens',
  edits: usageChunk,
}

function read(body: Body): Reading | Problem {
  const prompts = promptsIn(body['prompt'])
  if (prompts instanceof Problem) return prompts
  const stream = readBoolean(body, 'stream')
  if (stream instanceof Problem) return stream
  const outputTokens = readInteger(body, 'max_tokens', 1, Number.MAX_SAFE_INTEGER)
  if (outputTokens instanceof Problem) return outputTokens
  const shown = readInteger(body, 'n', 1, CHOICES_MAX)
  if (shown instanceof Problem) return shown
  const tried = readInteger(body, 'best_of', 1, CHOICES_MAX)
  if (tried instanceof Problem) return tried
  const wantsUsageChunk = readIncludeUsage(body)
  if (wantsUsageChunk instanceof Problem) return wantsUsageChunk
  // Every prompt gets that many answers, and those that are thrown away are generated and billed too.
  const choices = prompts * Math.max(shown ?? 1, tried ?? 1)
  return { stream, wantsUsageChunk, outputTokens, outputParam: 'max_tokens', choices }
}

/** How many prompts a call has: one string or list of tokens, or a list of either. */
function promptsIn(prompt: unknown): number | Problem {
  if (prompt === undefined || prompt === null || typeof prompt === 'string') return 1
  if (!Array.isArray(prompt) || prompt.length === 0)
    return invalid('prompt', 'must be a string, an array of strings, an array of tokens, or an array of such arrays')
  return typeof prompt[0] === 'number' ? 1 : prompt.length
}
