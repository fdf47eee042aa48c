import { parseFault, type AimedFault } from './faults'

/**
 * What a prompt asks of the simulator, written in its texts as `[[name:value]]`:
 * `[[tokens:N]]` exactly N output tokens, `[[reasoning:N]]` N reasoning tokens, `[[echo:text]]` this text and nothing
 * else, `[[bytes:N]]` images of N bytes at least, `[[filter:prompt|jailbreak|completion]]` the content filter acts,
 * `[[fault:KIND]]` or `[[fault:KIND@a,b]]` a fault, there only when deployment a or b serves the call.
 */
export interface Hints {
  readonly tokens?: number
  readonly reasoningTokens?: number
  readonly echo?: string
  readonly bytes?: number
  readonly filter?: FilterHint
  readonly faults?: readonly AimedFault[]
}
export type FilterHint = 'prompt' | 'jailbreak' | 'completion'

const HINTS_MAX = 32
const HINT_TOKENS_MAX = 128_000
const HINT_BYTES_MAX = 32 * 1_024 * 1_024

/** The hints in a text, or undefined where there are none. A hint that is not understood is left alone: it may be prose. */
export function readHints(text: string): Hints | undefined {
  let hints: Hints | undefined
  let from = text.indexOf('[[')
  for (let found = 0; from >= 0 && found < HINTS_MAX; found++) {
    const end = text.indexOf(']]', from)
    if (end < 0) break
    const hint = readHint(text.slice(from + 2, end))
    if (hint !== undefined) hints = mergeHints(hints, hint)
    from = text.indexOf('[[', end)
  }
  return hints
}

/** Later hints win over earlier ones; faults add up. */
export function mergeHints(earlier: Hints | undefined, later: Hints | undefined): Hints | undefined {
  if (earlier === undefined) return later
  if (later === undefined) return earlier
  if (earlier.faults === undefined || later.faults === undefined) return { ...earlier, ...later }
  return { ...earlier, ...later, faults: [...earlier.faults, ...later.faults] }
}

function readHint(inside: string): Hints | undefined {
  const colon = inside.indexOf(':')
  if (colon < 0) return undefined
  const value = inside.slice(colon + 1)
  switch (inside.slice(0, colon)) {
    case 'tokens':
      return ifCount(value, (tokens) => ({ tokens }))
    case 'reasoning':
      return ifCount(value, (reasoningTokens) => ({ reasoningTokens }))
    case 'bytes':
      return ifCount(value, (bytes) => ({ bytes }), HINT_BYTES_MAX)
    case 'echo':
      return { echo: value }
    case 'filter':
      return value === 'prompt' || value === 'jailbreak' || value === 'completion' ? { filter: value } : undefined
    case 'fault': {
      const fault = parseFault(value)
      return fault.kind === 'fault' ? { faults: [fault.fault] } : undefined
    }
    default:
      return undefined
  }
}

function ifCount(value: string, make: (count: number) => Hints, max = HINT_TOKENS_MAX): Hints | undefined {
  const count = Number(value)
  return Number.isInteger(count) && count >= 0 && count <= max ? make(count) : undefined
}
