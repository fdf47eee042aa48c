import type { UpstreamHeaders } from '../azure/upstream-headers'
import type { RateView } from '../limits/limiter'
import { requestIdHeaders } from './answer'

/** What of the backend's headers the client gets. Its rate headers describe our quota, not the tenant's, and stay here. */
const PASSED_ON = ['content-type', 'x-ms-region', 'openai-processing-ms'] as const

export function answerHeaders(
  upstream: UpstreamHeaders,
  { requestId, rates }: { requestId: string; rates: RateView },
): Record<string, string> {
  const headers: Record<string, string> = { ...requestIdHeaders(requestId), ...rateHeaders(rates) }
  for (const name of PASSED_ON) {
    const value = upstream[name]
    if (value !== undefined) headers[name] = value
  }
  return headers
}

export const JSON_TYPE = { 'content-type': 'application/json' }

/** JSON by its own name, whatever the backend calls it: as a page a browser would run what a model wrote. */
export function asJson(headers: Record<string, string>): Record<string, string> {
  return /^application\/json\b/i.test(headers['content-type'] ?? '') ? headers : { ...headers, ...JSON_TYPE }
}

/** The tenant's own limits; resets in whole seconds as Azure writes them. */
export function rateHeaders({ requests, tokens }: RateView): Record<string, string> {
  return {
    'x-ratelimit-limit-requests': String(requests.limit),
    'x-ratelimit-remaining-requests': String(Math.max(0, Math.floor(requests.remaining))),
    'x-ratelimit-reset-requests': String(Math.ceil(requests.resetMs / 1_000)),
    'x-ratelimit-limit-tokens': String(tokens.limit),
    'x-ratelimit-remaining-tokens': String(Math.max(0, Math.floor(tokens.remaining))),
    'x-ratelimit-reset-tokens': String(Math.ceil(tokens.resetMs / 1_000)),
  }
}
