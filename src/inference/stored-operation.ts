import type { Caller } from '../access/caller'
import type { HeaderReader } from '../access/read-credential'
import type { Departure } from '../base/departure'
import type { CallId } from '../base/ids'
import { Problem } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import type { Answer } from './answer'
import type { Body } from './operation'
import type { UrlFamily } from './operations'

/**
 * What a client can ask of the things that are kept for its tenant (files, uploads, batches, responses). It is no model call:
 * it reserves no tokens, and its requests count. Each slice makes its own rows; `serve` runs them all the same way.
 */
export interface StoredOperation {
  /** As logs name it: `files.content`. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Behind `/openai/v1` or `/openai`; `{id}` stands for one segment of the path: `/files/{id}/content`. */
  readonly path: string
  /** Also behind `/openai/deployments/{deployment}`, where an SDK sends it there. */
  readonly inDeployment?: true
  /** Throws `ProblemError` or answers with a problem; either is rendered in OpenAI's shape. */
  readonly serve: (request: StoredRequest) => Promise<Answer | Problem>
}

export interface StoredRequest {
  readonly scope: TenantScope
  readonly tenant: TenantSnapshot
  readonly caller: Caller
  readonly family: UrlFamily
  /** The path's, of an operation `inDeployment`. */
  readonly deployment: string | undefined
  readonly apiVersion: string | undefined
  /** What stands in the path's braces. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: HeaderReader
  readonly requestId: string
  readonly callId: CallId
  /** Of the client, where the server tells. */
  readonly gone: Departure | undefined
  /** Resolves when the client has taken what it was handed of the answer: a large one waits for it between its pieces. */
  readonly taken: (() => Promise<void>) | undefined
  /** A body of up to 1 MiB as a JSON object. Either this or `bytes`, once. */
  readJson(): Promise<Body | Problem>
  /** The body as it comes, for what may be large: the reader bounds its length. Ends with `ProblemError` where it stalls. */
  bytes(): AsyncIterable<Uint8Array>
}

/** An id that never existed and one of another tenant look alike (I3). */
export function notFoundObject(
  kind: 'file' | 'upload' | 'batch' | 'response' | 'fine-tuning job',
  id: string,
): Problem {
  return new Problem('not_found', `There is no ${kind} '${id.slice(0, 100)}'.`, { param: 'id' })
}

export function jsonAnswer(value: object, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}
