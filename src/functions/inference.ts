import type { Clock } from '../base/clock'
import type { DirectOptions, DirectRequest } from '../http/direct-http'
import type { Answer } from '../inference/answer'
import type { BodyBounds, BodyResult, InferenceRequest } from '../inference/inference-request'

/**
 * Everything under `/openai`, by any method: what is no surface gets an OpenAI-shaped 404 from `serve`, not the host's.
 * The credential is checked there too, so the host asks for no key of its own.
 */
export function inference(deps: {
  clock: Clock
  serve: (request: InferenceRequest) => Promise<Answer>
}): DirectOptions {
  return {
    route: 'openai/{*path}',
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'],
    authLevel: 'anonymous',
    handler: (request) => deps.serve(toInferenceRequest(request, deps.clock)),
  }
}

function toInferenceRequest(request: DirectRequest, clock: Clock): InferenceRequest {
  const { method, target, headers, traceParent, client } = request
  const mark = target.indexOf('?')
  return {
    method,
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? undefined : target.slice(mark)),
    headers,
    traceParent,
    gone: client,
    taken: () => client.taken(),
    readBody: (bounds) => readBody(request, clock, bounds),
    bytes: () => request.bytes(),
  }
}

function readBody(request: DirectRequest, clock: Clock, bounds: BodyBounds): Promise<BodyResult> {
  const declared = declaredBytes(request)
  // So little comes together with its headers, or the server in front of us gives up on it; a timer for each would be waste.
  if (declared !== undefined && declared <= UNTIMED_BYTES_MAX) return collectOrCut(request, bounds)
  return new Promise((resolve) => {
    const cancel = clock.after(bounds.timeoutMs, () => resolve({ kind: 'timeout' }))
    void collectOrCut(request, bounds).then(resolve).finally(cancel)
  })
}

/** Larger bodies, and those of unknown length, have to arrive within their time. */
const UNTIMED_BYTES_MAX = 64 * 1024
/** Of a body that is refused in its midst; the server in front of us takes no larger ones. */
const PASSED_OVER_BYTES_MAX = 128 * 1024 * 1024

function collectOrCut(request: DirectRequest, bounds: BodyBounds): Promise<BodyResult> {
  return collectBody(request, bounds).catch((): BodyResult => ({ kind: 'cut-off' }))
}

async function collectBody(request: DirectRequest, { bytesMax, take }: BodyBounds): Promise<BodyResult> {
  const declared = declaredBytes(request)
  if (declared !== undefined) {
    // The server in front of us holds the client to the length that it declared.
    if (declared > bytesMax) return { kind: 'too-large' }
    if (!take(declared)) return { kind: 'no-room' }
    return { kind: 'read', bytes: await request.readAll() }
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  const pieces = request.bytes()[Symbol.asyncIterator]()
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    bytes += next.value.length
    const refused = bytes > bytesMax ? 'too-large' : take(next.value.length) ? undefined : 'no-room'
    if (refused) {
      void passOver(pieces)
      return { kind: refused }
    }
    chunks.push(next.value)
  }
  return { kind: 'read', bytes: Buffer.concat(chunks) }
}

/**
 * Takes the rest and forgets it. To give up the reading would close the connection, and whoever still sends on it would never see
 * the answer: some clients read none before they have sent everything.
 */
async function passOver(pieces: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    for (let bytes = 0; bytes < PASSED_OVER_BYTES_MAX;) {
      const { done, value } = await pieces.next()
      if (done) return
      bytes += value.length
    }
    await pieces.return?.()
  } catch {
    // It was cut off: nobody listens.
  }
}

function declaredBytes({ headers }: DirectRequest): number | undefined {
  const declared = headers.get('content-length')
  return declared !== null && /^\d{1,15}$/.test(declared) ? Number(declared) : undefined
}
