import { assertNever } from '../base/assert'
import type { FileId, IdMaker } from '../base/ids'
import type { Backend } from '../routing/backend'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { Account, AccountFile, AccountFiles, NotDone } from './account-files'
import type { StageResult, Staging, UnstageResult } from './files'
import type { FileRecord } from './file-record'
import type { LargeCopies } from './large-copies'

/**
 * Copies of a tenant's files at accounts. Invariants:
 * C1 A row says under which name a copy is sent before it is sent. So one whose answer was lost, or whose sender died, is found
 *    at the account by its name, which no other file has.
 * C2 A row goes when everything that was sent under its names is gone.
 * C3 A large one is fetched by its account from a copy in the clear of the same name, which goes as soon as the account has it, or
 *    will not have it, and in any case with the row.
 */
export interface Copies {
  stage(scope: TenantScope, file: CopiedFile, backend: Backend, staging: Staging): Promise<StageResult>
  /** Deletes what was made for the owner. */
  removeFor(scope: TenantScope, owner: string): Promise<UnstageResult>
  /** Deletes the copies of one file, whoever uses them. */
  removeOf(scope: TenantScope, fileId: FileId): Promise<UnstageResult>
  removeAll(scope: TenantScope): Promise<UnstageResult>
  count(scope: TenantScope): Promise<number>
}

export interface CopiedFile {
  readonly record: FileRecord
  /** From its beginning, each time it is asked for. */
  readonly content: () => AsyncIterable<Buffer>
}

interface Copy {
  readonly fileId: FileId
  readonly owner: string
  /** Kept here, since a backend may be removed before its copies are. */
  readonly account: Account
  /** Names under which it was sent, each by one attempt. */
  readonly filenames: readonly string[]
  /** What the account calls it, once it has answered. */
  readonly id?: string | undefined
  /** There may be copies in the clear of its names. */
  readonly isLent?: boolean | undefined
  /** The account fetches nothing, or could not fetch this. */
  readonly noImport?: boolean | undefined
}

interface Kept {
  readonly copy: Copy
  readonly etag: string
}

interface Attempt {
  readonly key: string
  readonly before: Kept | undefined
  readonly fresh: Copy
}

/** An owner's id: it is a part of the row's key. */
const OWNER = /^[A-Za-z0-9_-]{1,100}$/
const PREFIX = 'copy-'
const END = 'copy-~'
/** What nobody deletes is deleted by the account itself (14 days, the least that Azure takes). */
const EXPIRES_AFTER_SECONDS = 1_209_600
const PROCESSING_AGAIN_MS = 1_000
const ATTEMPTS_MAX = 20
const otherAttempt: StageResult = { kind: 'unsure', detail: 'another attempt is sending it', againMs: 1_000 }

export interface CopiesDeps {
  readonly rows: TenantTable<Columns>
  readonly accounts: AccountFiles
  readonly large: LargeCopies
  /** From so many bytes on a copy is large. Those of batches never are: what they send is made while it is sent. */
  readonly importBytesMin: number
  readonly ids: IdMaker
}

export function createCopies({ rows, accounts, large, importBytesMin, ids }: CopiesDeps): Copies {
  const read = async (scope: TenantScope, key: string) => {
    const row = await rows.get(scope, key)
    return row && { copy: fromJsonColumns<Copy>(row.columns), etag: row.etag }
  }

  /** Writes the row anew with one more name; undefined where somebody else has changed it. */
  const intend = async (scope: TenantScope, key: string, copy: Copy, etag: string | undefined) => {
    const columns = toJsonColumns(copy)
    const result = await (etag === undefined
      ? rows.insert(scope, key, columns)
      : rows.replace(scope, key, columns, etag))
    return result.kind === 'written' ? result.etag : undefined
  }

  const send = async (
    scope: TenantScope,
    { record, content }: CopiedFile,
    { key, before, fresh }: Attempt,
    { purpose, transform }: Staging,
  ): Promise<StageResult> => {
    const filename = `tenantry-${ids.fileId().slice('file-'.length)}.jsonl`
    const filenames = [...(before?.copy.filenames ?? []), filename]
    if (filenames.length > ATTEMPTS_MAX) return { kind: 'refused', status: 0, code: 'too_many_attempts' }
    const intended: Copy = { ...fresh, filenames }
    const etag = await intend(scope, key, intended, before?.etag)
    if (etag === undefined) return otherAttempt
    const sent = await accounts.send(fresh.account, {
      filename,
      purpose,
      content: transform ? transform(content()) : content(),
      bytes: transform ? undefined : record.bytes,
      expiresAfterSeconds:
        purpose === 'batch' && fresh.account.api.kind === 'azure-openai' ? EXPIRES_AFTER_SECONDS : undefined,
    })
    if (sent.kind !== 'file') return sent.kind === 'missing' ? notServed : sent
    return note(scope, { key, etag, intended }, sent)
  }

  const note = async (
    scope: TenantScope,
    { key, etag, intended }: { key: string; etag: string; intended: Copy },
    sent: AccountFile,
  ): Promise<StageResult> => {
    const noted = await rows.replace(scope, key, toJsonColumns({ ...intended, id: sent.id }), etag)
    if (noted.kind === 'written') return stagedAs(sent)
    // Another attempt has begun, or the copy is no longer wanted: this one is nobody's.
    await accounts.remove(intended.account, sent.id)
    return otherAttempt
  }

  const isLarge = ({ record }: CopiedFile, { account }: Copy, { purpose }: Staging) =>
    record.bytes >= importBytesMin && purpose !== 'batch' && account.api.kind === 'azure-openai'

  const bring = async (
    scope: TenantScope,
    { record, content }: CopiedFile,
    { key, before, fresh }: Attempt,
    { purpose }: Staging,
  ): Promise<StageResult> => {
    const { filenames: earlier = [], noImport = false, id } = before?.copy ?? {}
    // Large as it is, a second one may find no room beside the first.
    if (before && earlier.length > 0 && id === undefined) {
      const adopted = await large.adopt(fresh.account, earlier)
      if (adopted.kind === 'file')
        return onKept(scope, key, await noted(scope, key, { ...before.copy, id: adopted.id }, before.etag), adopted)
      if (adopted.kind !== 'missing') return adopted
    }
    if (before?.copy.isLent) await large.takeBack(scope, earlier)
    const filename = `tenantry-${ids.fileId().slice('file-'.length)}.jsonl`
    const filenames = [...earlier, filename]
    if (filenames.length > ATTEMPTS_MAX) return { kind: 'refused', status: 0, code: 'too_many_attempts' }
    const intended: Copy = { ...fresh, filenames, isLent: !noImport, noImport }
    const etag = await intend(scope, key, intended, before?.etag)
    if (etag === undefined) return otherAttempt
    const { answer, noImport: cannotImport } = await large.bring(scope, fresh.account, {
      filename,
      purpose,
      bytes: record.bytes,
      content,
      noImport,
    })
    if (answer.kind !== 'file') return answer.kind === 'missing' ? notServed : answer
    const made = { ...intended, isLent: !cannotImport, noImport: cannotImport }
    const result = await note(scope, { key, etag, intended: made }, answer)
    if (result === otherAttempt && !cannotImport) await large.takeBack(scope, [filename])
    return result
  }

  /** The row as it is to be; undefined where somebody else has changed it. */
  const noted = async (scope: TenantScope, key: string, copy: Copy, etag: string): Promise<Kept | undefined> => {
    const result = await rows.replace(scope, key, toJsonColumns(copy), etag)
    return result.kind === 'written' ? { copy, etag: result.etag } : undefined
  }

  /** What the account says of a copy that it has. One that it was to fetch and could not is sent in parts next. */
  const onKept = async (
    scope: TenantScope,
    key: string,
    kept: Kept | undefined,
    there: AccountFile,
  ): Promise<StageResult> => {
    if (!kept) return otherAttempt
    const { copy, etag } = kept
    if (there.state === 'processing' || !copy.isLent) return stagedAs(there)
    await large.takeBack(scope, copy.filenames)
    if (there.state === 'processed') {
      await noted(scope, key, { ...copy, isLent: false }, etag)
      return stagedAs(there)
    }
    const removed = await accounts.remove(copy.account, there.id)
    if (removed.kind !== 'removed' && removed.kind !== 'missing') return removed
    await noted(scope, key, { ...copy, id: undefined, isLent: false, noImport: true }, etag)
    return { kind: 'unsure', detail: 'the account could not fetch the file', againMs: PROCESSING_AGAIN_MS }
  }

  /** Gone at the account, and then here. */
  const remove = async (
    scope: TenantScope,
    key: string,
    { account, filenames, id, isLent }: Copy,
  ): Promise<UnstageResult> => {
    if (isLent) await large.takeBack(scope, filenames)
    const known = id === undefined ? [] : [id]
    // Only an attempt without an answer makes it necessary to look through the account.
    const found =
      id !== undefined && filenames.length === 1 ? undefined : await accounts.find(account, new Set(filenames))
    if (found && found.kind !== 'found') return unsureOf(found)
    for (const each of new Set([...known, ...(found?.ids ?? [])])) {
      const removed = await accounts.remove(account, each)
      if (removed.kind !== 'removed' && removed.kind !== 'missing') return unsureOf(removed)
    }
    await rows.remove(scope, key)
    return { kind: 'gone' }
  }

  const removeWhere = async (scope: TenantScope, from: string, to: string, wanted: (copy: Copy) => boolean) => {
    let worst: UnstageResult = { kind: 'gone' }
    for await (const { rowKey, columns } of rows.range(scope, from, to)) {
      const copy = fromJsonColumns<Copy>(columns)
      if (!wanted(copy)) continue
      const removed = await remove(scope, rowKey, copy)
      if (removed.kind !== 'gone') worst = removed
    }
    return worst
  }

  return {
    stage: async (scope, file, { id: backendId, ...backend }, staging) => {
      const { owner } = staging
      if (!OWNER.test(owner)) throw new RangeError(`"${owner}" cannot own a copy`)
      const { id: fileId } = file.record
      const key = `${PREFIX}${owner}-${backendId}-${fileId}`
      const before = await read(scope, key)
      if (before?.copy.id !== undefined) {
        const there = await accounts.get(before.copy.account, before.copy.id)
        // One that the account has lost is sent again.
        if (there.kind !== 'missing') return there.kind === 'file' ? onKept(scope, key, before, there) : there
      }
      const fresh: Copy = { fileId, owner, account: accountOf(backend), filenames: [] }
      const attempt = { key, before, fresh }
      return isLarge(file, fresh, staging) ? bring(scope, file, attempt, staging) : send(scope, file, attempt, staging)
    },
    removeFor: (scope, owner) =>
      removeWhere(scope, `${PREFIX}${owner}-`, `${PREFIX}${owner}-~`, (copy) => copy.owner === owner),
    removeOf: (scope, fileId) => removeWhere(scope, PREFIX, END, (copy) => copy.fileId === fileId),
    removeAll: (scope) => removeWhere(scope, PREFIX, END, () => true),
    count: async (scope) => {
      let count = 0
      for await (const row of rows.range(scope, PREFIX, END)) count += row.rowKey ? 1 : 0
      return count
    },
  }
}

const notServed: StageResult = { kind: 'refused', status: 404, code: 'not_served' }

const accountOf = ({ endpoint, api, credential, ownerTenantId, directoryId }: Account): Account => ({
  endpoint,
  api,
  credential,
  ownerTenantId,
  directoryId,
})

function stagedAs({ id, state }: AccountFile): StageResult {
  switch (state) {
    case 'processed':
      return { kind: 'staged', id }
    case 'processing':
      return { kind: 'processing', againMs: PROCESSING_AGAIN_MS }
    case 'error':
      return { kind: 'refused', status: 200, code: 'file_error' }
    default:
      return assertNever(state)
  }
}

const unsureOf = (answer: NotDone): UnstageResult =>
  answer.kind === 'unsure'
    ? answer
    : { kind: 'unsure', detail: `the account answers "${answer.kind}"`, againMs: UNSURE_AGAIN_MS }
const UNSURE_AGAIN_MS = 60_000
