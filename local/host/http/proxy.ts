import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'

/**
 * Forwards a call over the port that the library opened. Only for the case that its server could not be caught;
 * then this is what the Azure host does. A failed hop is answered with 502 while that is possible.
 */
export function forwardOverPort(url: URL, req: IncomingMessage, res: ServerResponse): void {
  const { hostname, port } = url
  const upstream = request({ hostname, port, method: req.method, path: req.url, headers: req.headers })
  upstream.on('response', (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers)
    pipeline(answer, res, () => {})
  })
  upstream.on('error', () => {
    if (res.headersSent) res.destroy()
    else res.writeHead(502).end()
  })
  pipeline(req, upstream, () => {})
}
