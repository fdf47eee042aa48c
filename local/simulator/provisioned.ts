import type { Admission, AdmissionAnswer, Ask, Spent } from './admission'
import { tooManyRequests } from './errors'
import { nowMs } from './ticker-wheel'

export interface ProvisionedLimits {
  readonly units: number
  readonly inputTokensPerMinutePerUnit: number
  /** Input tokens that one output token weighs. */
  readonly outputRatio: number
}

/** What the service guesses for a call that sets no maximum. */
const GUESSED_OUTPUT_TOKENS = 256

/**
 * Provisioned throughput as a leaky bucket of one minute's capacity, in input-token weight. A call is let in while the
 * level is below 100 %, so a burst can go slightly over; its estimate is corrected when it ends; the bucket drains all
 * the time in proportion to its units. Source: Azure's provisioned-throughput page, 2026-03.
 */
export class ProvisionedAdmission implements Admission {
  readonly #limits: ProvisionedLimits
  readonly #capacity: number
  readonly #now: () => number
  #level = 0
  #drainedAt: number

  constructor(limits: ProvisionedLimits, now: () => number = nowMs) {
    this.#limits = limits
    this.#capacity = limits.units * limits.inputTokensPerMinutePerUnit
    this.#now = now
    this.#drainedAt = now()
  }

  admit(ask: Ask): AdmissionAnswer {
    this.#drain()
    if (this.#level >= this.#capacity) return this.#refuse(ask)
    const estimate = this.#weigh({ ...ask, outputTokens: ask.outputTokensMax ?? GUESSED_OUTPUT_TOKENS })
    this.#level += estimate
    const settle = (spent: Spent) => {
      this.#drain()
      this.#level = Math.max(0, this.#level + this.#weigh(spent) - estimate)
    }
    return { kind: 'admitted', headers: this.#headers(), settle }
  }

  #refuse(ask: Ask): AdmissionAnswer {
    const overflow = this.#level - this.#capacity
    // One token's weight more, so that a caller who waits as told finds the level below 100 %.
    const retryAfterMs = Math.max(1, Math.ceil(((overflow + 1) / this.#capacity) * 60_000))
    const message = `Requests to the ${ask.operation} Operation under Azure OpenAI API version ${ask.apiVersion} have exceeded the provisioned throughput of your current deployment. Please retry after ${Math.ceil(retryAfterMs / 1_000)} seconds.`
    return { kind: 'refused', refusal: tooManyRequests(message, retryAfterMs, this.#headers()) }
  }

  #weigh({ promptTokens, cachedTokens, outputTokens }: Spent): number {
    return promptTokens - cachedTokens + this.#limits.outputRatio * outputTokens
  }

  #drain(): void {
    const now = this.#now()
    this.#level = Math.max(0, this.#level - ((now - this.#drainedAt) / 60_000) * this.#capacity)
    this.#drainedAt = now
  }

  #headers(): string[] {
    return ['azure-openai-deployment-utilization', `${((this.#level / this.#capacity) * 100).toFixed(1)}%`]
  }
}
