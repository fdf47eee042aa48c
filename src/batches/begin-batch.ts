import { parseBatchId, parseTenantId, type BatchId, type TenantId } from '../base/ids'
import type { Orchestrations } from '../base/durable-steps'
import { fieldsOf } from '../base/json-object'
import type { ChecklistInput } from '../checklists/run-checklist'
import type { StorageAccount } from '../storage/connect'
import { TenantScope } from '../storage/tenant-scope'
import { batchName } from './batch-deps'
import { isOver } from './batch-record'
import type { BatchStore } from './batch-store'

/**
 * From the request that makes a batch to its checklist: by a queue, since calls of the data path have no way to the host's
 * orchestrations, and a message that is not heard is given again.
 */
export interface BatchBeginnings {
  /** With the installation's prefix. */
  readonly queueName: string
  ask(tenantId: TenantId, id: BatchId): Promise<void>
  /** What the queue's trigger hears. Throws where it should be told again. */
  hear(message: unknown, orchestrations: Pick<Orchestrations, 'start'>): Promise<void>
}

const batchQueue = 'batches'
export const batchQueueStorage = { queues: [batchQueue] } as const

export function createBatchBeginnings({
  storage,
  store,
}: {
  storage: Pick<StorageAccount, 'queue'>
  store: Pick<BatchStore, 'get'>
}): BatchBeginnings {
  const queue = storage.queue(batchQueue)
  return {
    queueName: queue.name,
    ask: async (tenantId, batchId) => {
      // As hosts read queues unless they are told otherwise.
      await queue.sendMessage(Buffer.from(JSON.stringify({ tenantId, batchId })).toString('base64'))
    },
    hear: async (message, orchestrations) => {
      const { tenantId, batchId } = read(message)
      if (!tenantId || !batchId) return
      const record = await store.get(TenantScope.ofPlatform(tenantId), batchId)
      // A checklist that gave up would begin anew; its batch is over all the same.
      if (!record || isOver(record)) return
      await orchestrations.start(batchName, batchId, { tenantId, input: {} } satisfies ChecklistInput)
    },
  }
}

/** The host has parsed what is JSON. */
function read(message: unknown): { tenantId: TenantId | undefined; batchId: BatchId | undefined } {
  const { tenantId, batchId } = fieldsOf(message)
  return { tenantId: parseTenantId(String(tenantId)), batchId: parseBatchId(String(batchId)) }
}
