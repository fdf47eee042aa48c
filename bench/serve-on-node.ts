import '../src/young-objects'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createLog } from '../src/base/log'
import { compose } from '../src/compose'
import { readConfig } from '../src/config'
import { ClientConnection } from '../src/http/client-connection'
import type { Answer } from '../src/inference/answer'
import type { BodyBounds, BodyResult, InferenceRequest } from '../src/inference/inference-request'

/** Our `serve` with nothing of Functions around it, to tell our own cost from the library's. Usage: serve-on-node <port> */
const platform = compose(
  readConfig(process.env),
  createLog(() => {}, Date.now),
  'bench',
)

// A plain exit, so that a profiler that was asked for writes its file.
process.on('SIGTERM', () => process.exit(0))

const server = createServer((request, response) => {
  platform
    .serve(toInferenceRequest(request, response))
    .then((answer) => send(response, answer))
    .catch(() => response.destroy())
})
void platform
  .start()
  .then(() => server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.({ kind: 'ready' })))

function toInferenceRequest(request: IncomingMessage, response: ServerResponse): InferenceRequest {
  const [path = '', query] = (request.url ?? '').split('?')
  return {
    method: request.method ?? '',
    path,
    query: new URLSearchParams(query),
    headers: { get: (name) => (request.headers[name] as string | undefined) ?? null },
    readBody: (bounds) => readBody(request, bounds),
    bytes: () => request,
    gone: new ClientConnection(response),
  }
}

function readBody(request: IncomingMessage, { bytesMax, take }: BodyBounds): Promise<BodyResult> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      chunks.push(chunk)
      if (bytes > bytesMax) resolve({ kind: 'too-large' })
      if (!take(chunk.length)) resolve({ kind: 'no-room' })
    })
    request.on('end', () => resolve({ kind: 'read', bytes: Buffer.concat(chunks) }))
    request.on('error', () => resolve({ kind: 'cut-off' }))
  })
}

async function send(response: ServerResponse, { status, headers, body }: Answer): Promise<void> {
  response.writeHead(status, headers)
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    response.end(body)
    return
  }
  for await (const chunk of body) response.write(chunk)
  response.end()
}
