import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CorsSettings } from '../settings'

/**
 * Adds the CORS headers for an allowed origin, and answers preflights (then returns true: the request is done with).
 * An origin that is not allowed gets no headers, which is how a browser learns of it.
 */
export function answerCors({ origins, withCredentials }: CorsSettings, req: IncomingMessage, res: ServerResponse) {
  const { origin } = req.headers
  if (origin === undefined || origins.length === 0) return false
  const isAllowed = origins.includes('*') || origins.includes(origin)
  if (isAllowed) {
    res.setHeader('access-control-allow-origin', withCredentials || !origins.includes('*') ? origin : '*')
    res.setHeader('vary', 'origin')
    if (withCredentials) res.setHeader('access-control-allow-credentials', 'true')
  }
  const method = req.headers['access-control-request-method']
  if (req.method !== 'OPTIONS' || method === undefined) return false
  if (isAllowed) {
    res.setHeader('access-control-allow-methods', method)
    res.setHeader('access-control-allow-headers', req.headers['access-control-request-headers'] ?? '*')
  }
  res.writeHead(204).end()
  return true
}
