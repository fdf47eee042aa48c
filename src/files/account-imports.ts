import type { BackendCredentials } from '../azure/backend-credentials'
import type { UpstreamHttp } from '../azure/upstream-http'
import type { SmallAnswer, SmallHttp } from '../azure/small-http'
import { fieldsOf } from '../base/json-object'
import {
  answered,
  fileOf,
  filesUrlOf,
  frameOf,
  notDone,
  parsed,
  type Account,
  type AccountFile,
  type NotDone,
  type SentFile,
} from './account-files'

/** Large files at an account of Azure OpenAI: fetched by it, or sent in parts; a multipart request that breaks off is lost whole. */
export interface AccountImports {
  /** The account reads the address by itself, later: the file is `processing` until it has. `refused` where it knows no imports. */
  importFrom(
    account: Account,
    file: Pick<SentFile, 'filename' | 'purpose'> & { readonly url: string },
  ): Promise<AccountFile | NotDone>
  /** Its size has to be known. A part that fails is sent again; when the last one is there it is a file. */
  sendInParts(account: Account, file: SentFile & { readonly bytes: number }): Promise<AccountFile | NotDone>
}

/**
 * Where imports are known, in the order in which they are tried (azure-facts 3.1): dated versions have had it since the first one, and the
 * newer family may.
 */
const IMPORT_PATHS = [
  '/openai/files/import?api-version=2024-10-21',
  '/openai/v1/files/import?api-version=preview',
] as const

/** 64 MB is the most that accounts take; held in memory, so that it can be sent again. */
const PART_BYTES = 16 * 1024 * 1024
const PART_ATTEMPTS_MAX = 3
const PART_MS_MAX = 300_000
const IDLE_MS_MAX = 60_000
const ANSWER_BYTES_MAX = 64 * 1024
const AGAIN_MS = 10_000

export interface AccountImportsDeps {
  readonly upstream: Pick<UpstreamHttp, 'send'>
  readonly http: Pick<SmallHttp, 'send'>
  readonly credentials: BackendCredentials
}

export function createAccountImports({ upstream, http, credentials }: AccountImportsDeps): AccountImports {
  const proofOf = async (account: Account): Promise<Record<string, string>> => {
    const proof = await credentials.headerOf(account, 'api-key')
    return proof ? { [proof[0]]: proof[1] } : {}
  }
  const post = async (account: Account, url: string, body: object): Promise<SmallAnswer> =>
    http.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...(await proofOf(account)) },
      body: JSON.stringify(body),
    })

  const sendPart = async (account: Account, uploadUrl: string, data: Buffer): Promise<string | NotDone> => {
    const { head, tail, contentType } = frameOf({ fields: {}, name: 'data', filename: 'part' })
    const { origin, pathname } = new URL(`${uploadUrl}/parts`)
    const answer = await upstream.send({
      origin,
      path: pathname,
      headers: {
        'content-type': contentType,
        'content-length': String(head.length + data.length + tail.length),
        'user-agent': 'tenantry',
        ...(await proofOf(account)),
      },
      body: Buffer.concat([head, data, tail]),
      firstByteTimeoutMs: PART_MS_MAX,
      idleTimeoutMs: IDLE_MS_MAX,
      totalTimeoutMs: PART_MS_MAX,
    })
    const body = parsed(await answer.body.readAll(ANSWER_BYTES_MAX))
    if (answer.status >= 300) return notDone({ status: answer.status, headers: answer.headers, body })
    const { id } = fieldsOf(body)
    return typeof id === 'string' ? id : notUnderstood
  }
  const sendPartSurely = async (account: Account, uploadUrl: string, data: Buffer): Promise<string | NotDone> => {
    let last: NotDone = notUnderstood
    for (let attempt = 0; attempt < PART_ATTEMPTS_MAX; attempt++) {
      const sent = await answered<string>(() => sendPart(account, uploadUrl, data))
      if (typeof sent === 'string' || sent.kind !== 'unsure') return sent
      last = sent
    }
    return last
  }

  return {
    importFrom: (account, { filename, purpose, url }) =>
      answered<AccountFile>(async () => {
        let last: NotDone = { kind: 'missing' }
        for (const path of IMPORT_PATHS) {
          const answer = await post(account, account.endpoint + path, { purpose, filename, content_url: url })
          if (answer.status < 300) return importedFile(answer)
          last = notDone(answer)
          // Of another version: one that knows the path and says why not has answered for all.
          if (!UNKNOWN_THERE.has(answer.status)) break
        }
        return last
      }),
    sendInParts: (account, { filename, purpose, content, bytes }) =>
      answered<AccountFile>(async () => {
        const uploadsUrl = filesUrlOf(account).replace(/\/files$/, '/uploads')
        const made = await post(account, uploadsUrl, { purpose, filename, bytes, mime_type: 'application/jsonl' })
        if (made.status >= 300) return notDone(made)
        const { id } = fieldsOf(made.body)
        if (typeof id !== 'string') return notUnderstood
        const uploadUrl = `${uploadsUrl}/${encodeURIComponent(id)}`
        const partIds: string[] = []
        for await (const part of inParts(content)) {
          const partId = await sendPartSurely(account, uploadUrl, part)
          if (typeof partId !== 'string') {
            // What nobody completes ends by itself within the hour; where that is not heard nothing is lost.
            await answered(() => post(account, `${uploadUrl}/cancel`, {}).then(() => notUnderstood))
            return partId
          }
          partIds.push(partId)
        }
        const completed = await post(account, `${uploadUrl}/complete`, { part_ids: partIds })
        if (completed.status >= 300) return notDone(completed)
        return fileOf({ ...completed, body: fieldsOf(completed.body)['file'] })
      }),
  }
}

/** An account that does not have the path in this version, or not the version. */
const UNKNOWN_THERE: ReadonlySet<number> = new Set([400, 404, 405])

const notUnderstood: NotDone = { kind: 'unsure', detail: 'an answer that is no such thing', againMs: AGAIN_MS }

/** Some versions answer with the file, some only say where it is. */
function importedFile(answer: SmallAnswer): AccountFile | NotDone {
  const { id } = fieldsOf(answer.body)
  if (typeof id === 'string') return fileOf(answer)
  const { location } = answer.headers
  const found = typeof location === 'string' ? FILE_AT.exec(location)?.[1] : undefined
  return found === undefined ? notUnderstood : { kind: 'file', id: found, state: 'processing' }
}

const FILE_AT = /\/files\/([A-Za-z0-9_-]{1,200})(?:[/?]|$)/

/** Each a buffer that is used again for the next one. */
async function* inParts(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const part = Buffer.allocUnsafe(PART_BYTES)
  let held = 0
  for await (const piece of content) {
    for (let at = 0; at < piece.length;) {
      const end = Math.min(piece.length, at + PART_BYTES - held)
      part.set(piece.subarray(at, end), held)
      held += end - at
      at = end
      if (held === PART_BYTES) {
        yield part
        held = 0
      }
    }
  }
  if (held > 0) yield part.subarray(0, held)
}
