import { assertNever } from '../base/assert'
import type { FileId, IdMaker } from '../base/ids'
import type { Backend } from '../routing/backend'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { Account, AccountFile, AccountFiles, NotDone } from './account-files'
import type { FileContent, StageResult, Staging, UnstageResult } from './files'

/**
 * Copies of a tenant's files at accounts. Invariants:
 * C1 A row says under which name a copy is sent before it is sent. So one whose answer was lost, or whose sender died, is found
 *    at the account by its name, which no other file has.
 * C2 A row goes when everything that was sent under its names is gone.
 */
export interface Copies {
  stage(scope: TenantScope, file: FileContent, backend: Backend, staging: Staging): Promise<StageResult>
  /** Deletes what was made for the owner. */
  removeFor(scope: TenantScope, owner: string): Promise<UnstageResult>
  /** Deletes the copies of one file, whoever uses them. */
  removeOf(scope: TenantScope, fileId: FileId): Promise<UnstageResult>
  removeAll(scope: TenantScope): Promise<UnstageResult>
  count(scope: TenantScope): Promise<number>
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
  readonly ids: IdMaker
}

export function createCopies({ rows, accounts, ids }: CopiesDeps): Copies {
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
    { record, content }: FileContent,
    { key, before, fresh }: { key: string; before: { copy: Copy; etag: string } | undefined; fresh: Copy },
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
      content: transform ? transform(content) : content,
      bytes: transform ? undefined : record.bytes,
      expiresAfterSeconds:
        purpose === 'batch' && fresh.account.api.kind === 'azure-openai' ? EXPIRES_AFTER_SECONDS : undefined,
    })
    if (sent.kind !== 'file') return sent.kind === 'missing' ? notServed : sent
    const noted = await rows.replace(scope, key, toJsonColumns({ ...intended, id: sent.id }), etag)
    if (noted.kind === 'written') return stagedAs(sent)
    // Another attempt has begun, or the copy is no longer wanted: this one is nobody's.
    await accounts.remove(fresh.account, sent.id)
    return otherAttempt
  }

  /** Gone at the account, and then here. */
  const remove = async (scope: TenantScope, key: string, { account, filenames, id }: Copy): Promise<UnstageResult> => {
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
        if (there.kind !== 'missing') return there.kind === 'file' ? stagedAs(there) : there
      }
      const fresh: Copy = { fileId, owner, account: accountOf(backend), filenames: [] }
      return send(scope, file, { key, before, fresh }, staging)
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
