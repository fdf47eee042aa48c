import type { InferenceRequest } from './inference-request'

const REQUEST_ID = /^[\w.:-]{1,128}$/

/** A client's own id is kept if it is harmless in headers and logs; anything else is replaced, not refused. */
export function readRequestId(request: InferenceRequest): string | undefined {
  const given = request.headers.get('x-request-id') ?? request.headers.get('x-ms-client-request-id')
  return given !== null && REQUEST_ID.test(given) ? given : undefined
}
