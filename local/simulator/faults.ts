import type { Random } from './random'

/** A failure that the simulator plays. `afterTokens` counts output tokens already sent; without it the kind says when. */
export type Fault =
  /** Answers with this status and Azure's body for it; 429 says to come back after `retryAfterMs`. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs: number | undefined }
  /** 429 because the region is full, not the quota. */
  | { readonly kind: 'high-demand' }
  /** TCP reset before any byte of the answer. */
  | { readonly kind: 'reset' }
  /** TCP reset after the headers. */
  | { readonly kind: 'reset-after-headers' }
  /** Never answers; with `afterTokens` a stream goes silent there, its connection open. */
  | { readonly kind: 'stall'; readonly afterTokens: number | undefined }
  /** A stream says `data: {"error":…}` and ends; an answer in one piece is a 500. */
  | { readonly kind: 'mid-stream-error'; readonly afterTokens: number }
  /** The socket is cut in the middle of the body. */
  | { readonly kind: 'cut'; readonly afterTokens: number }
  /** A stream ends in good order but early and without `[DONE]`; without `afterTokens` only `[DONE]` is missing. */
  | { readonly kind: 'no-done'; readonly afterTokens: number | undefined }
  /** The first byte comes later by this much; the answer is whole. */
  | { readonly kind: 'slow-first-token'; readonly delayMs: number }
  /** One event of a stream is not JSON; the rest follows. */
  | { readonly kind: 'malformed-sse'; readonly afterTokens: number }
  /** The body stops in the middle of its JSON, with a content length that agrees. */
  | { readonly kind: 'malformed-json' }
  /** The content length promises more than is sent; then the connection ends. */
  | { readonly kind: 'wrong-content-length' }
  /** 200, and a stream whose first event says that the deployment is full; an answer in one piece is a 429. */
  | { readonly kind: 'throttled-stream' }
  /** A stream leaves out the usage that was asked for. */
  | { readonly kind: 'no-usage' }

/** A fault and the deployments it is meant for; undefined means all. */
export interface AimedFault {
  readonly fault: Fault
  readonly text: string
  readonly deployments: readonly string[] | undefined
}

/** A deployment's standing fault: each call with a probability, or the next so many calls. */
export type FaultRule =
  { readonly kind: string; readonly probability: number } | { readonly kind: string; readonly next: number }

export type ParsedFault =
  { readonly kind: 'fault'; readonly fault: AimedFault } | { readonly kind: 'invalid'; readonly expected: string }

const DEFAULT_AFTER_TOKENS = 3
export const FAULT_DELAY_MS_MAX = 3_600_000

/** Reads `KIND`, `KIND:NUMBER` or `status:CODE:RETRY_MS`, each with an optional `@deployment,deployment`. */
export function parseFault(text: string): ParsedFault {
  const at = text.indexOf('@')
  const kindText = (at < 0 ? text : text.slice(0, at)).trim()
  const deployments = at < 0 ? undefined : text.slice(at + 1).split(',')
  const [name = '', ...values] = kindText.split(':')
  const numbers = values.map((value) => (/^\d+$/.test(value) ? Number(value) : Number.NaN))
  const fault = numbers.some((value) => Number.isNaN(value)) ? undefined : makeFault(name, numbers)
  if (fault === undefined) return { kind: 'invalid', expected: FAULT_FORMS }
  return { kind: 'fault', fault: { fault, text: kindText, deployments } }
}

/** What would be valid, for messages. */
export const FAULT_FORMS =
  'status:CODE (400..599) or status:429:RETRY_MS, high-demand, reset, reset-after-headers, stall[:TOKENS], mid-stream-error[:TOKENS], cut[:TOKENS], no-done[:TOKENS], slow-first-token:MS, malformed-sse[:TOKENS], malformed-json, wrong-content-length, throttled-stream or no-usage'

function makeFault(name: string, [first, second]: number[]): Fault | undefined {
  switch (name) {
    case 'status':
      if (first === undefined || first < 400 || first > 599) return undefined
      return { kind: name, status: first, retryAfterMs: second }
    case 'slow-first-token':
      return first === undefined || first > FAULT_DELAY_MS_MAX ? undefined : { kind: name, delayMs: first }
    case 'stall':
    case 'no-done':
      return { kind: name, afterTokens: first }
    case 'mid-stream-error':
    case 'cut':
    case 'malformed-sse':
      return { kind: name, afterTokens: first ?? DEFAULT_AFTER_TOKENS }
    case 'high-demand':
    case 'reset':
    case 'reset-after-headers':
    case 'malformed-json':
    case 'wrong-content-length':
    case 'throttled-stream':
    case 'no-usage':
      return first === undefined ? { kind: name } : undefined
    default:
      return undefined
  }
}

/** A fault chosen for one call, with the text that asked for it. */
export interface ChosenFault {
  readonly fault: Fault
  readonly text: string
}

/** Reads the header `x-simulator-fault`: faults divided by `;`. */
export function parseFaultHeader(
  header: string,
): { kind: 'faults'; faults: AimedFault[] } | { kind: 'invalid'; expected: string } {
  const faults: AimedFault[] = []
  for (const text of header.split(';')) {
    const parsed = parseFault(text.trim())
    if (parsed.kind === 'invalid') return parsed
    faults.push(parsed.fault)
  }
  return { kind: 'faults', faults }
}

export function firstFor(faults: readonly AimedFault[] | undefined, deployment: string): ChosenFault | undefined {
  return faults?.find(({ deployments }) => deployments === undefined || deployments.includes(deployment))
}

/** The standing faults of one deployment: counts down `next`, throws the dice for `probability`; first match wins. */
export class StandingFaults {
  readonly #armed: { readonly chosen: ChosenFault; readonly probability: number; left: number }[]
  readonly #random: Random

  constructor(rules: readonly FaultRule[], random: Random) {
    this.#random = random
    this.#armed = rules.map((rule) => {
      const parsed = parseFault(rule.kind)
      if (parsed.kind === 'invalid') throw new Error(`not a fault: ${rule.kind}`)
      return 'next' in rule
        ? { chosen: parsed.fault, probability: 1, left: rule.next }
        : { chosen: parsed.fault, probability: rule.probability, left: Number.POSITIVE_INFINITY }
    })
  }

  choose(): ChosenFault | undefined {
    for (const rule of this.#armed) {
      if (rule.left <= 0 || (rule.probability < 1 && this.#random() >= rule.probability)) continue
      rule.left--
      return rule.chosen
    }
    return undefined
  }
}
