import { request, type IncomingMessage } from 'node:http'
import type { OperationName } from '../../src/inference/operation'
import { surfaceOf, type Shot } from './surfaces'

/** What a client saw of one call. */
export interface Seen {
  readonly operation: OperationName
  /** Ours, from the answer's head; undefined where none came. */
  readonly callId: string | undefined
  readonly status: number
  /** It got the answer to its last byte. */
  readonly whole: boolean
}

export interface Leaving {
  /** Leaves after so many bytes of the answer. */
  readonly afterBytes: number
}

/** What the end of a stream is told by: the last event of an image has the image in it, so the kind stands far before its end. */
const TAIL_BYTES = 64 * 1024

/** One call over a raw socket, with nothing of an SDK in between. Never throws: what becomes of it is what is seen. */
export function callOnce(
  { baseUrl, apiKey }: { baseUrl: string; apiKey: string },
  { operation, shot, leaving }: { operation: OperationName; shot: Shot; leaving?: Leaving | undefined },
): Promise<Seen> {
  return new Promise((resolve) => {
    const headers = { 'content-type': shot.contentType, 'api-key': apiKey }
    const outgoing = request(new URL(baseUrl + shot.path), { method: 'POST', headers }, (answer: IncomingMessage) => {
      const callId = answer.headers['x-request-id'] as string | undefined
      let bytes = 0
      let tail = Buffer.alloc(0)
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES)
        if (leaving && bytes > leaving.afterBytes) outgoing.destroy()
      })
      const isStream = String(answer.headers['content-type']).startsWith('text/event-stream')
      // The answer's error is told by `close` too, as an answer that is not complete.
      answer.on('error', () => {})
      answer.on('close', () => {
        const ended = !isStream || surfaceOf(operation).lastEvent.test(tail.toString('latin1'))
        const status = answer.statusCode ?? 0
        resolve({ operation, callId, status, whole: answer.complete && status === 200 && ended })
      })
    })
    outgoing.on('error', () => resolve({ operation, callId: undefined, status: 0, whole: false }))
    outgoing.end(shot.body)
  })
}
