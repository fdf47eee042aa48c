import { HttpResponse } from '@azure/functions'

/** What a direct response carries: a whole body, or one that is made while it is read. */
export type DirectBody = string | Buffer | AsyncIterable<Uint8Array>

/**
 * An answer whose body the Functions library iterates as it is. `new HttpResponse({ body })` would wrap it in a web stream,
 * which costs more than all the rest of a call. Works with `enableHttpStream`, where the library asks a response for
 * `status`, `headers`, `cookies` and `body.values()` and writes what that yields.
 */
export class DirectResponse extends HttpResponse {
  constructor({ status, headers, body }: { status: number; headers: Record<string, string>; body: DirectBody }) {
    const whole = typeof body === 'string' ? Buffer.from(body) : Buffer.isBuffer(body) ? body : undefined
    // A known length spares the chunked encoding and its extra write.
    super({ status, headers: whole ? { ...headers, 'content-length': String(whole.length) } : headers })
    Object.defineProperty(this, 'body', { value: { values: () => (whole ? [whole] : body) } })
  }
}
