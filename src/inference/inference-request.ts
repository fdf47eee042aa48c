import type { HeaderReader } from '../access/read-credential'
import type { Departure } from '../base/departure'

/** An HTTP request as `serve` needs it, whichever server took it: the Functions library or a plain `node:http` one. */
export interface InferenceRequest {
  readonly method: string
  /** From `/openai` on, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: HeaderReader
  /** Of the host that handed it over, where it traces; a header that came with the request counts before it. */
  readonly traceParent?: string | undefined
  /** Reads the whole body, or says why not. Either this or `bytes` is called, at most once. */
  readBody(bounds: BodyBounds): Promise<BodyResult>
  /** The body as it comes, unbounded. */
  bytes(): AsyncIterable<Uint8Array>
  /** Of the client. Absent where the server does not tell. */
  readonly gone?: Departure | undefined
  /** Resolves when the client has taken what it was handed of the answer, or has gone. Absent where the server does not tell. */
  readonly taken?: (() => Promise<void>) | undefined
}

export interface BodyBounds {
  readonly bytesMax: number
  readonly timeoutMs: number
  /** Asked before so many more bytes are kept; false means that this instance has no room for them. */
  readonly take: (bytes: number) => boolean
}

export type BodyResult =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'no-room' }
  | { readonly kind: 'timeout' }
  /** The client went away while it sent. */
  | { readonly kind: 'cut-off' }
