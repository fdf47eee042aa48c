import '../src/young-objects'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createLog } from '../src/base/log'
import { systemClock } from '../src/base/clock'
import { compose } from '../src/compose'
import { readConfig } from '../src/config'
import { inference } from '../src/functions/inference'
import { ClientConnection } from '../src/http/client-connection'
import type { DirectRequest } from '../src/http/direct-http'
import { NodeHeaders, readAll, writeAnswer } from '../src/http/node-exchange'

/** Our `serve` with nothing of Functions around it, to tell our own cost from the library's. Usage: serve-on-node <port> */
const platform = compose(
  readConfig(process.env),
  createLog(() => {}, Date.now),
  'bench',
)
const { handler } = inference({ clock: systemClock, serve: platform.serve })

// A plain exit, so that a profiler that was asked for writes its file.
process.on('SIGTERM', () => process.exit(0))

const server = createServer((request, response) => {
  handler(directRequest(request, response))
    .then((answer) => writeAnswer(response, answer))
    .catch(() => response.destroy())
})
void platform
  .start()
  .then(() => server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.({ kind: 'ready' })))

const directRequest = (request: IncomingMessage, response: ServerResponse): DirectRequest => ({
  invocationId: '',
  method: request.method ?? '',
  target: request.url ?? '/',
  params: {},
  headers: new NodeHeaders(request.headers),
  traceParent: undefined,
  client: new ClientConnection(response),
  readAll: () => readAll(request),
  bytes: () => request,
})
