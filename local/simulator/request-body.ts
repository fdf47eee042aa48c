import type { IncomingMessage } from 'node:http'

/** Larger than any body that Azure takes inline, so that its own limits are met first. */
export const BODY_BYTES_MAX = 64 * 1_024 * 1_024

export type ReadBytes =
  | { readonly kind: 'body'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  /** The connection ended before the body did. */
  | { readonly kind: 'gone' }

export type ReadBody = Exclude<ReadBytes, { kind: 'body' }> | { readonly kind: 'body'; readonly text: string }

/** Reads a request body as text, up to the bound. */
export async function readBody(request: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<ReadBody> {
  const read = await readBytes(request, bytesMax)
  return read.kind === 'body' ? { kind: 'body', text: read.bytes.toString() } : read
}

const nothing = Buffer.alloc(0)

/** Reads a request body up to the bound. */
export function readBytes(request: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<ReadBytes> {
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
    request.on('end', () => resolve({ kind: 'body', bytes: rest ? Buffer.concat(rest) : (first ?? nothing) }))
    request.on('error', () => resolve({ kind: 'gone' }))
    request.on('close', () => resolve({ kind: 'gone' }))
  })
}
