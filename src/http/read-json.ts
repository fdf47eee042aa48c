import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { PlainRequest } from './plain-request'

export const bodyBytesMax = 1_048_576
const BODY_MS_MAX = 30_000
const DRAIN_BYTES_MAX = 4 * bodyBytesMax
const DRAIN_MS_MAX = 5_000

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json(?:\s*;|$)/i

const tooLarge = new Problem(
  'body_too_large',
  `The body is larger than ${bodyBytesMax} bytes, the most that is taken here.`,
)
const tooSlow = new Problem('body_timeout', `The body did not arrive within ${BODY_MS_MAX / 1_000} s.`)

/** The body as JSON, read no further than its bounds in bytes and time. */
export async function readJson(request: PlainRequest, clock: Clock): Promise<{ readonly value: unknown } | Problem> {
  const type = request.headers.get('content-type') ?? ''
  if (!JSON_TYPE.test(type))
    return new Problem('unsupported_media_type', 'Send the body as `content-type: application/json`.')
  if (Number(request.headers.get('content-length')) > bodyBytesMax) return tooLarge
  const bytes = await readBytes(request.body, clock)
  if (bytes instanceof Problem) return bytes
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) }
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'it is not UTF-8'
    return new Problem('invalid_json', `The body is not JSON: ${reason}`)
  }
}

async function readBytes(body: PlainRequest['body'], clock: Clock): Promise<Uint8Array | Problem> {
  if (!body) return new Uint8Array()
  const iterator = body[Symbol.asyncIterator]()
  const ended = new AbortController()
  const timeout = clock.sleep(BODY_MS_MAX, ended.signal).then(() => tooSlow)
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), timeout])
      if (next instanceof Problem) return refuse(iterator, clock, next)
      if (next.done) return Buffer.concat(chunks)
      bytes += next.value.byteLength
      if (bytes > bodyBytesMax) return refuse(iterator, clock, tooLarge)
      chunks.push(next.value)
    }
  } finally {
    ended.abort()
  }
}

function refuse(iterator: AsyncIterator<Uint8Array>, clock: Clock, problem: Problem): Problem {
  drain(iterator, clock).catch(() => {})
  return problem
}

/**
 * Throws away what a client still sends after it was refused: closing a connection with unread bytes resets it, and the
 * client would never see why.
 */
async function drain(iterator: AsyncIterator<Uint8Array>, clock: Clock): Promise<void> {
  const ended = new AbortController()
  const timeout = clock.sleep(DRAIN_MS_MAX, ended.signal).then(() => undefined)
  let bytes = 0
  try {
    while (bytes <= DRAIN_BYTES_MAX) {
      const next = await Promise.race([iterator.next(), timeout])
      if (next === undefined || next.done) break
      bytes += next.value.byteLength
    }
  } finally {
    ended.abort()
    // Not awaited: the return of a stream that hangs in a read hangs as well.
    iterator.return?.().catch(() => {})
  }
}
