import { HttpResponse, type HttpResponseInit } from '@azure/functions'

/** What a direct response carries: a whole body, or one that is made while it is read. */
export type DirectBody = string | Buffer | AsyncIterable<Uint8Array>

/**
 * The library would make a fetch response for each answer, of which nothing is used; it takes what is there already. That is no
 * response either: the first one of a process has all of fetch loaded, which takes 30 ms of its start.
 */
const EMPTY: HttpResponseInit = { nativeResponse: {} } as HttpResponseInit

/**
 * An answer whose headers and body the Functions library takes as they are. `new HttpResponse({ headers, body })` would
 * copy the headers into fetch's and wrap the body in a web stream, which together cost more than all the rest of a call.
 * Works with `enableHttpStream`, where the library asks a response for `status`, `cookies`, `headers.get`,
 * `headers.entries` and `body.values` and writes what those yield.
 */
export class DirectResponse extends HttpResponse {
  constructor({ status, headers, body }: { status: number; headers: Record<string, string>; body: DirectBody }) {
    super(EMPTY)
    const whole = typeof body === 'string' ? Buffer.from(body) : Buffer.isBuffer(body) ? body : undefined
    // A known length spares the chunked encoding and its extra write.
    const sent = whole ? { ...headers, 'content-length': String(whole.length) } : headers
    Object.defineProperties(this, {
      status: { value: status },
      headers: { value: { get: (name: string) => sent[name] ?? null, entries: () => Object.entries(sent) } },
      body: { value: { values: () => (whole ? [whole] : body) } },
    })
  }
}
