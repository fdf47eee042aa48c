import type { Problem } from '../base/problem'

/** What goes back to the client. A stream's iterator owns the call: it settles and meters when it ends (I14). */
export interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string | Buffer | AsyncIterable<Uint8Array>
}

/** Waits that SDKs obey end here; `openai` 6 would sleep through a whole day if it were told to. */
export const RETRY_AFTER_MS_MAX = 60_000

/** Both names, since `openai` reads the first and Azure's support asks for the second. */
export function requestIdHeaders(requestId: string): Record<string, string> {
  return { 'x-request-id': requestId, 'apim-request-id': requestId }
}

/** The error body that every SDK understands: `{"error":{message,type,param,code}}`. */
export function renderProblem(problem: Problem, requestId: string): Answer {
  return {
    status: problem.entry.status,
    headers: {
      'content-type': 'application/json',
      ...requestIdHeaders(requestId),
      ...retryHeaders(problem),
      ...problem.headers,
    },
    body: JSON.stringify(errorBody(problem)),
  }
}

export function errorBody(problem: Problem): object {
  return {
    error: {
      message: problem.public,
      type: problem.entry.openAiType,
      param: problem.param ?? null,
      code: problem.code,
    },
  }
}

/**
 * `retry-after-ms` and `retry-after` agree (LangChain reads only the second); what no wait can heal
 * says so by `x-should-retry: false`, because SDKs retry every 429 and 5xx otherwise.
 */
function retryHeaders({ entry, retryAfterMs }: Problem): Record<string, string> {
  const sdkWouldRetry = entry.status === 429 || entry.status >= 500 || entry.status === 408 || entry.status === 409
  if (!entry.retryable) return sdkWouldRetry ? { 'x-should-retry': 'false' } : {}
  if (retryAfterMs === undefined) return {}
  const ms = Math.min(Math.max(1, Math.ceil(retryAfterMs)), RETRY_AFTER_MS_MAX)
  return { 'retry-after-ms': String(ms), 'retry-after': String(Math.ceil(ms / 1_000)) }
}
