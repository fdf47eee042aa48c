import type { Orchestrations } from '../base/durable-steps'
import { Problem } from '../base/problem'
import type { HeaderReader } from '../access/read-credential'

/** An HTTP request as the control plane sees it, free of any framework. */
export interface PlainRequest {
  readonly method: string
  /** The path as it was sent; for the log and for idempotency. */
  readonly path: string
  /** The route that it matched, with its placeholders and without a slash in front: `api/tenant/keys/{keyId}`. */
  readonly route: string
  readonly query: URLSearchParams
  /** What the route's placeholders stand for. */
  readonly params: Readonly<Record<string, string>>
  readonly headers: HeaderReader
  /** Of the host that handed it over, where it traces; a header that came with the request counts before it. */
  readonly traceParent?: string | undefined
  readonly body: AsyncIterable<Uint8Array> | null
  /** Starts and watches durable work. */
  readonly orchestrations: Orchestrations
}

export interface PlainAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** What an endpoint answers with, before it is rendered as JSON. */
export interface Answer {
  readonly status: number
  readonly body?: object | undefined
  /** In place of `body`: what is no JSON, with its `content-type` among the headers. */
  readonly text?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export const ok = (body: object, headers?: Answer['headers']): Answer => ({ status: 200, body, headers })
export const created = (body: object, headers: Answer['headers']): Answer => ({ status: 201, body, headers })
/** Durable work has begun; the body says where to watch it. */
export const accepted = (body: object): Answer => ({ status: 202, body })
export const noContent: Answer = { status: 204 }
export const notFound = new Problem('not_found', 'There is nothing here.')
