import { highDemandMessage, tooManyRequests, type Refusal } from './errors'
import { nowMs } from './ticker-wheel'

/** What a call asks of its deployment's limit. */
export interface Ask {
  readonly deployment: string
  /** The model family's name and the operation's, as the refusal writes them. */
  readonly model: string
  readonly operation: string
  readonly apiVersion: string
  readonly region: string
  readonly promptTokens: number
  readonly cachedTokens: number
  /** Undefined when the caller set no maximum. Zero for embeddings. */
  readonly outputTokensMax: number | undefined
}

/** What a call really came to, for limits that correct their estimate. */
export interface Spent {
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
}

export type AdmissionAnswer =
  | { readonly kind: 'admitted'; readonly headers: readonly string[]; settle(spent: Spent): void }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** A deployment's limit, decided and booked in one step: calls arrive one at a time in one process. */
export interface Admission {
  admit(ask: Ask): AdmissionAnswer
}

const nothingToSettle = () => {}
const unlimited: AdmissionAnswer = { kind: 'admitted', headers: [], settle: nothingToSettle }
export const unlimitedAdmission: Admission = { admit: () => unlimited }

/** How a deployment words its refusals; each was seen in the field. */
export type RefusalStyle =
  | 'standard'
  /** No `retry-after` at all: only `x-ratelimit-reset-*` and the message tell the wait. */
  | 'no-retry-after'
  /** The limit headers say −1, on answers and on refusals. */
  | 'negative-limits'
  /** The message blames capacity instead of quota. */
  | 'high-demand'

export interface StandardLimits {
  readonly tokensPerMinute: number
  readonly requestsPerMinute: number
  readonly refusals: RefusalStyle
}

const TOKEN_WINDOW_MS = 60_000
const REQUEST_WINDOW_MS = 10_000
/** What the service books for a chat call that sets no maximum. Source: the API simulator's measurements. */
const UNBOUNDED_OUTPUT_TOKENS = 16
/** The wait that Azure states for a call that no minute could ever hold. */
const NEVER_FITS_RETRY_MS = 86_400_000

/**
 * Pay-as-you-go: a token counter that starts anew each minute and is charged with prompt plus maximum output, never
 * refunded; and a request counter over ten seconds, which counts refused calls too. Source: Azure's quota page, 2026-05.
 */
export class StandardAdmission implements Admission {
  readonly #limits: StandardLimits
  readonly #requestsMax: number
  readonly #now: () => number
  #tokens = new Window(TOKEN_WINDOW_MS)
  #requests = new Window(REQUEST_WINDOW_MS)

  constructor(limits: StandardLimits, now: () => number = nowMs) {
    this.#limits = limits
    this.#requestsMax = Math.max(1, Math.ceil((limits.requestsPerMinute * REQUEST_WINDOW_MS) / 60_000))
    this.#now = now
  }

  admit(ask: Ask): AdmissionAnswer {
    const now = this.#now()
    this.#tokens.turn(now)
    this.#requests.turn(now)
    this.#requests.used++
    if (this.#requests.used > this.#requestsMax) return this.#refuse(ask, 'requests', this.#requests.leftMs(now))
    const cost = ask.promptTokens + (ask.outputTokensMax ?? UNBOUNDED_OUTPUT_TOKENS)
    if (cost > this.#limits.tokensPerMinute) return this.#refuse(ask, 'tokens', NEVER_FITS_RETRY_MS)
    if (this.#tokens.used + cost > this.#limits.tokensPerMinute) {
      return this.#refuse(ask, 'tokens', this.#tokens.leftMs(now))
    }
    this.#tokens.used += cost
    return { kind: 'admitted', headers: this.#headers(now), settle: nothingToSettle }
  }

  #refuse(ask: Ask, what: 'requests' | 'tokens', waitMs: number): AdmissionAnswer {
    const retryAfterMs = Math.max(1, Math.ceil(waitMs))
    const seconds = Math.ceil(retryAfterMs / 1_000)
    const message =
      this.#limits.refusals === 'high-demand'
        ? highDemandMessage(retryAfterMs)
        : `Your requests to ${ask.deployment} for ${ask.model} in ${ask.region} have exceeded the ${what === 'tokens' ? 'token' : 'call'} rate limit for your current AIServices S0 pricing tier. This request was for ${ask.operation} under Azure OpenAI API version ${ask.apiVersion}. Please retry after ${seconds} seconds. To increase your default rate limit, visit: https://aka.ms/oai/quotaincrease.`
    const policy = ['policy-id', what === 'tokens' ? 'DeploymentRatelimit-Token' : 'DeploymentRatelimit-Call']
    const reset = [`x-ratelimit-reset-${what}`, String(seconds)]
    const refusal = tooManyRequests(message, retryAfterMs, [...this.#counters(), ...reset, ...policy])
    if (this.#limits.refusals !== 'no-retry-after') return { kind: 'refused', refusal }
    return { kind: 'refused', refusal: { ...refusal, headers: [...this.#counters(), ...reset, ...policy] } }
  }

  #headers(now: number): string[] {
    return [
      ...this.#counters(),
      'x-ratelimit-reset-requests',
      String(Math.ceil(this.#requests.leftMs(now) / 1_000)),
      'x-ratelimit-reset-tokens',
      String(Math.ceil(this.#tokens.leftMs(now) / 1_000)),
    ]
  }

  #counters(): string[] {
    const negative = this.#limits.refusals === 'negative-limits'
    return [
      'x-ratelimit-limit-requests',
      String(negative ? -1 : this.#requestsMax),
      'x-ratelimit-limit-tokens',
      String(negative ? -1 : this.#limits.tokensPerMinute),
      'x-ratelimit-remaining-requests',
      String(negative ? -1 : Math.max(0, this.#requestsMax - this.#requests.used)),
      'x-ratelimit-remaining-tokens',
      String(negative ? -1 : this.#limits.tokensPerMinute - this.#tokens.used),
    ]
  }
}

/** A counter that starts anew when its window is over; a window opens with the first call after the last one ended. */
class Window {
  used = 0
  #endsAt = Number.NEGATIVE_INFINITY
  readonly #lengthMs: number

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs
  }

  turn(now: number): void {
    if (now < this.#endsAt) return
    this.#endsAt = now + this.#lengthMs
    this.used = 0
  }

  leftMs(now: number): number {
    return Math.max(0, this.#endsAt - now)
  }
}
