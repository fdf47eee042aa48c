import type { IncomingMessage } from 'node:http'

/** Larger than any body that Azure takes inline, so that its own limits are met first. */
export const BODY_BYTES_MAX = 64 * 1_024 * 1_024

export type ReadBody =
  | { readonly kind: 'body'; readonly text: string }
  | { readonly kind: 'too-large' }
  /** The connection ended before the body did. */
  | { readonly kind: 'gone' }

/** Reads a request body up to the bound. */
export function readBody(request: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<ReadBody> {
  return new Promise((resolve) => {
    let first: Buffer | undefined
    let rest: Buffer[] | undefined
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytesMax) {
        request.removeAllListeners('data')
        request.resume()
        resolve({ kind: 'too-large' })
      } else if (first === undefined) first = chunk
      else (rest ??= [first]).push(chunk)
    })
    // Nearly every body comes in one chunk, which then is read without a copy.
    request.on('end', () => resolve({ kind: 'body', text: (rest ? Buffer.concat(rest) : (first ?? '')).toString() }))
    request.on('error', () => resolve({ kind: 'gone' }))
    request.on('close', () => resolve({ kind: 'gone' }))
  })
}
