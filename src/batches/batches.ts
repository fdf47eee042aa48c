import type { BatchId, IdMaker, TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import { describeError, type Log } from '../base/log'
import type { Caller } from '../access/caller'
import type { Clock } from '../base/clock'
import { countAmong } from '../base/count-among'
import type { Files } from '../files/files'
import type { Metadata } from '../inference/read-metadata'
import type { TenantScope } from '../storage/tenant-scope'
import type { AccountBatches } from './account-batches'
import { fileIdOf, type BatchOrder } from './batch-input'
import { become, ending, isOver, wasSent, type BatchRecord } from './batch-record'
import type { BatchStore } from './batch-store'

/** A tenant's batches, as its callers make and see them. An id of another tenant's is one that never was (I3). */
export interface Batches {
  create(scope: TenantScope, caller: Caller, order: BatchOrder): Promise<ShownBatch | Problem>
  get(scope: TenantScope, id: BatchId): Promise<ShownBatch | undefined>
  /** Newest first. */
  page(scope: TenantScope, page: { after: BatchId | undefined; limit: number }): Promise<BatchPage>
  cancel(scope: TenantScope, id: BatchId): Promise<ShownBatch | Problem | undefined>
}

export interface ShownBatch {
  readonly record: BatchRecord
  readonly metadata: Metadata | undefined
}

export interface BatchPage {
  readonly batches: readonly ShownBatch[]
  readonly hasMore: boolean
}

export interface BatchesDeps {
  readonly store: BatchStore
  readonly files: Pick<Files, 'get'>
  readonly accounts: Pick<AccountBatches, 'cancel'>
  /** Has the batch's checklist begun, soon and at least once; again for one that has begun does nothing. */
  readonly begin: (tenantId: TenantId, id: BatchId) => Promise<void>
  readonly ids: Pick<IdMaker, 'batchId'>
  readonly clock: Clock
  readonly log: Log
}

/** Of one tenant, not over at one time. */
const OPEN_BATCHES_MAX = 200
/** The newest are looked through: batches end within days, and of these only so many may be open. */
const LOOKED_THROUGH_MAX = 1_000
/** A batch that nobody has looked at for so long after its making was not begun: the message was lost. */
const BEGUN_MS_MAX = 120_000

export function createBatches({ store, files, accounts, begin, ids, clock, log }: BatchesDeps): Batches {
  const shown = async (scope: TenantScope, record: BatchRecord): Promise<ShownBatch> => ({
    record,
    metadata: await store.metadata(scope, record),
  })
  return {
    create: async (scope, caller, order) => {
      const fileId = fileIdOf(order)
      const file = fileId && (await files.get(scope, fileId))
      if (!file) return noFile(order)
      if (file.purpose !== 'batch') return wrongPurpose
      const open = await countAmong(store.list(scope), LOOKED_THROUGH_MAX, (record) => !isOver(record))
      if (open >= OPEN_BATCHES_MAX) return tooMany
      const record: BatchRecord = {
        id: ids.batchId(),
        createdAt: clock.now(),
        endpoint: order.endpoint,
        inputFileId: file.id,
        model: order.model,
        outputExpiresAfterSeconds: order.outputExpiresAfterSeconds,
        hasMetadata: order.metadata !== undefined,
        by: {
          callerId: caller.callerId,
          ...(caller.principal.kind === 'key' ? { keyId: caller.principal.keyId } : {}),
          aliases: caller.aliases,
          budgets: caller.budgets,
        },
        status: 'validating',
        since: {},
        counts: { total: 0, completed: 0, failed: 0 },
        faults: [],
      }
      await store.insert(scope, record, order.metadata)
      await begin(scope.tenantId, record.id)
      return { record, metadata: order.metadata }
    },

    get: async (scope, id) => {
      const record = await store.get(scope, id)
      if (!record) return undefined
      const isForgotten = !record.work && !isOver(record) && clock.now() - record.createdAt > BEGUN_MS_MAX
      if (isForgotten) await begin(scope.tenantId, id)
      return shown(scope, record)
    },

    page: async (scope, { after, limit }) => {
      const found: BatchRecord[] = []
      for await (const record of store.list(scope, after)) if (found.push(record) > limit) break
      const batches = await Promise.all(found.slice(0, limit).map((record) => shown(scope, record)))
      return { batches, hasMore: found.length > limit }
    },

    cancel: async (scope, id) => {
      const nowMs = clock.now()
      let before: BatchRecord | undefined
      const record = await store.change(scope, id, (found) => {
        before = found
        return calledOff(found, nowMs)
      })
      if (!record) return undefined
      if (before && isOver(before))
        return new Problem('conflict', `A batch that is ${before.status} cannot be cancelled.`)
      const { sending, work } = record
      if (record.status === 'cancelling' && work && sending?.batchId !== undefined) {
        // Its checklist asks again at its next look; that this was tried at once only saves the tenant some lines.
        const asked = await accounts.cancel(work.account, sending.batchId).catch(describeError)
        if (typeof asked === 'string') log.warn('a batch could not be cancelled at once', { batchId: id, error: asked })
      }
      return shown(scope, record)
    },
  }
}

/** One of which no account has anything is over at once; what was sent has to be called back first. Pure. */
export function calledOff(record: BatchRecord, nowMs: number): BatchRecord {
  if (isOver(record) || record.end || record.cancelAskedAt !== undefined) return record
  const asked = { ...record, cancelAskedAt: nowMs }
  if (!wasSent(record)) return become(ending(asked, 'cancelled'), 'cancelled', nowMs)
  return become(asked, 'cancelling', nowMs)
}

/** An id of nobody's, of another tenant's and of a deleted file are alike (I3). */
const noFile = ({ inputFileId }: BatchOrder) =>
  new Problem('invalid_request', `The input file '${inputFileId.slice(0, 100)}' does not exist.`, {
    param: 'input_file_id',
  })

const wrongPurpose = new Problem(
  'invalid_request',
  'The input file must have been uploaded with the purpose "batch".',
  {
    param: 'input_file_id',
  },
)

const tooMany = new Problem(
  'insufficient_quota',
  `The tenant has ${OPEN_BATCHES_MAX} batches that are not over. Wait for some of them, or cancel them.`,
)
