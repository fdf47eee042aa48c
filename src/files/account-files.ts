import type { BackendCredentials } from '../azure/backend-credentials'
import { orUnsure, type Unsure } from '../azure/or-unsure'
import { retryAfterMs, type SmallAnswer, type SmallHttp } from '../azure/small-http'
import type { UpstreamBody } from '../azure/upstream-body'
import type { UpstreamHttp } from '../azure/upstream-http'
import { fieldsOf } from '../base/json-object'
import type { Backend } from '../routing/backend'

/** How the account of a backend is reached: of its record what outlives the record. */
export type Account = Pick<Backend, 'endpoint' | 'api' | 'credential' | 'ownerTenantId' | 'directoryId'>

/** Files as an account keeps them: Azure OpenAI's `/openai/v1/files`, or those of an OpenAI-compatible server. */
export interface AccountFiles {
  send(account: Account, file: SentFile): Promise<AccountFile | NotDone>
  get(account: Account, id: string): Promise<AccountFile | NotDone>
  /** Those of these names, where the answer to their sending was lost. */
  find(
    account: Account,
    filenames: ReadonlySet<string>,
  ): Promise<{ readonly kind: 'found'; readonly ids: readonly string[] } | NotDone>
  /** `missing` where it is gone already. */
  remove(account: Account, id: string): Promise<{ readonly kind: 'removed' } | NotDone>
  /** As it comes; whoever stops reading ends the transfer. */
  content(
    account: Account,
    id: string,
  ): Promise<{ readonly kind: 'content'; readonly content: AsyncIterable<Buffer> } | NotDone>
}

export interface SentFile {
  readonly filename: string
  readonly purpose: string
  readonly content: AsyncIterable<Uint8Array>
  /** Of the content; undefined where it is not known before, and goes in chunks. */
  readonly bytes: number | undefined
  /** After which the account deletes it by itself, where it can. */
  readonly expiresAfterSeconds: number | undefined
}

export type AccountFile = {
  readonly kind: 'file'
  readonly id: string
  readonly state: 'processed' | 'processing' | 'error'
}

export type NotDone =
  | { readonly kind: 'missing' }
  /** It will not do it, now or later. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** No answer, or one that says to come again. */
  | Unsure

/** 512 MB at 1 MB a second. */
const SEND_MS_MAX = 10 * 60_000
const FIRST_BYTE_MS_MAX = 60_000
const IDLE_MS_MAX = 60_000
const ANSWER_BYTES_MAX = 64 * 1024
const AGAIN_MS = 10_000
/** Of a list, whose answers are below 1 MiB. */
const PAGE = 1_000
/** An account keeps 10,000 files. */
const PAGES_MAX = 20
const BOUNDARY = 'tenantry-4f1c0b5e9a7d42c3'
const CRLF = '\r\n'

export interface AccountFilesDeps {
  readonly upstream: Pick<UpstreamHttp, 'send'>
  readonly http: Pick<SmallHttp, 'send'>
  readonly credentials: BackendCredentials
}

export function createAccountFiles({ upstream, http, credentials }: AccountFilesDeps): AccountFiles {
  const proofOf = async (account: Account): Promise<Record<string, string>> => {
    const proof = await credentials.headerOf(account, account.api.kind === 'azure-openai' ? 'api-key' : 'bearer')
    return proof ? { [proof[0]]: proof[1] } : {}
  }
  const ask = async (account: Account, method: 'GET' | 'DELETE', path: string) =>
    http.send({ method, url: `${filesUrlOf(account)}${path}`, headers: await proofOf(account) })

  return {
    send: (account, file) =>
      answered(async () => {
        const { origin, pathname } = new URL(filesUrlOf(account))
        const { head, tail, contentType } = frameOf({ fields: fieldsFor(file), name: 'file', filename: file.filename })
        const length = file.bytes === undefined ? undefined : head.length + file.bytes + tail.length
        const answer = await upstream.send({
          origin,
          path: pathname,
          headers: {
            'content-type': contentType,
            'user-agent': 'tenantry',
            ...(length === undefined ? {} : { 'content-length': String(length) }),
            ...(await proofOf(account)),
          },
          body: framed(head, file.content, tail),
          firstByteTimeoutMs: SEND_MS_MAX,
          idleTimeoutMs: IDLE_MS_MAX,
          totalTimeoutMs: SEND_MS_MAX,
        })
        const body = await answer.body.readAll(ANSWER_BYTES_MAX)
        return fileOf({ status: answer.status, headers: answer.headers, body: parsed(body) })
      }),
    get: (account, id) => answered(async () => fileOf(await ask(account, 'GET', `/${encodeURIComponent(id)}`))),
    find: (account, filenames) =>
      answered(async () => {
        const ids: string[] = []
        let after = ''
        for (let page = 0; page < PAGES_MAX; page++) {
          const answer = await ask(account, 'GET', `?limit=${PAGE}${after}`)
          if (answer.status >= 300) return notDone(answer)
          const files = listed(answer.body)
          ids.push(...files.flatMap(({ id, filename }) => (filenames.has(filename) ? [id] : [])))
          const last = files.at(-1)?.id
          if (!hasMore(answer.body) || last === undefined) break
          after = `&after=${encodeURIComponent(last)}`
        }
        return { kind: 'found', ids }
      }),
    remove: (account, id) =>
      answered(async () => {
        const answer = await ask(account, 'DELETE', `/${encodeURIComponent(id)}`)
        return answer.status < 300 ? { kind: 'removed' } : notDone(answer)
      }),
    content: (account, id) =>
      answered(async () => {
        const { origin, pathname } = new URL(filesUrlOf(account))
        const answer = await upstream.send({
          method: 'GET',
          origin,
          path: `${pathname}/${encodeURIComponent(id)}/content`,
          headers: { 'user-agent': 'tenantry', ...(await proofOf(account)) },
          firstByteTimeoutMs: FIRST_BYTE_MS_MAX,
          idleTimeoutMs: IDLE_MS_MAX,
        })
        if (answer.status === 200) return { kind: 'content', content: piecesOf(answer.body) }
        const body = await answer.body.readAll(ANSWER_BYTES_MAX)
        return notDone({ status: answer.status, headers: answer.headers, body: parsed(body) })
      }),
  }
}

/** v1 of Azure's API, whose files are those of the dated versions too. */
export const filesUrlOf = ({ api, endpoint }: Account): string =>
  api.kind === 'azure-openai' ? `${endpoint}/openai/v1/files` : `${endpoint}/files`

function fieldsFor({ purpose, expiresAfterSeconds }: SentFile): Record<string, string> {
  if (expiresAfterSeconds === undefined) return { purpose }
  return { purpose, 'expires_after[seconds]': String(expiresAfterSeconds), 'expires_after[anchor]': 'created_at' }
}

/** A form (RFC 7578) around the content; names and values are ours, so that nothing in them has to be escaped. */
export function frameOf({
  fields,
  name: fileField,
  filename,
}: {
  fields: Readonly<Record<string, string>>
  name: string
  filename: string
}): { head: Buffer; tail: Buffer; contentType: string } {
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--${BOUNDARY}${CRLF}content-disposition: form-data; name="${name}"${CRLF}${CRLF}${value}${CRLF}`,
  )
  const file =
    `--${BOUNDARY}${CRLF}content-disposition: form-data; name="${fileField}"; filename="${filename}"${CRLF}` +
    `content-type: application/octet-stream${CRLF}${CRLF}`
  return {
    head: Buffer.from(parts.join('') + file),
    tail: Buffer.from(`${CRLF}--${BOUNDARY}--${CRLF}`),
    contentType: `multipart/form-data; boundary=${BOUNDARY}`,
  }
}

async function* framed(head: Buffer, content: AsyncIterable<Uint8Array>, tail: Buffer): AsyncGenerator<Uint8Array> {
  yield head
  yield* content
  yield tail
}

async function* piecesOf(body: UpstreamBody): AsyncGenerator<Buffer> {
  try {
    for (let piece = await body.next(); piece; piece = await body.next()) yield piece
  } finally {
    body.cancel('nobody reads on')
  }
}

/** Where no answer came, or none could be asked for, later may be otherwise. */
export const answered = <T>(work: () => Promise<T | NotDone>): Promise<T | NotDone> => orUnsure(AGAIN_MS, work)

export function fileOf(answer: SmallAnswer): AccountFile | NotDone {
  if (answer.status >= 300) return notDone(answer)
  const { id, status } = fieldsOf(answer.body)
  if (typeof id !== 'string') return { kind: 'unsure', detail: 'an answer that is no file', againMs: AGAIN_MS }
  // Azure goes from `pending` over `running` to `processed` or `error`; other servers say `uploaded`, or nothing.
  const isWaiting = status === 'pending' || status === 'running'
  return { kind: 'file', id, state: status === 'error' ? 'error' : isWaiting ? 'processing' : 'processed' }
}

export function notDone(answer: SmallAnswer): NotDone {
  const { status } = answer
  const { code } = fieldsOf(fieldsOf(answer.body)['error'])
  const shown = typeof code === 'string' && CODE.test(code) ? code : 'no code'
  if (status === 404) return { kind: 'missing' }
  // A role that was taken away or a key that was changed is given back.
  const isPassing =
    status === 401 || status === 403 || status === 408 || status === 409 || status === 429 || status >= 500
  if (isPassing) return { kind: 'unsure', detail: `HTTP ${status}: ${shown}`, againMs: retryAfterMs(answer, AGAIN_MS) }
  return { kind: 'refused', status, code: shown }
}

const CODE = /^[A-Za-z0-9_.-]{1,64}$/

function listed(body: unknown): { id: string; filename: string }[] {
  const { data } = fieldsOf(body)
  const files: unknown[] = Array.isArray(data) ? data : []
  return files.flatMap((file) => {
    const { id, filename } = fieldsOf(file)
    return typeof id === 'string' && typeof filename === 'string' ? [{ id, filename }] : []
  })
}

const hasMore = (body: unknown) => fieldsOf(body)['has_more'] === true

export function parsed(body: Buffer | undefined): unknown {
  try {
    return JSON.parse(body?.toString() ?? '')
  } catch {
    return undefined
  }
}
