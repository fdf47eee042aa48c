import type { Orchestrations } from '../base/durable-steps'
import { parseTenantId, parseTuningJobId, type TenantId, type TuningJobId } from '../base/ids'
import { fieldsOf } from '../base/json-object'
import type { ChecklistInput } from '../checklists/run-checklist'
import type { StorageAccount } from '../storage/connect'
import { TenantScope } from '../storage/tenant-scope'
import { tuningName } from './tuning-deps'
import { isOver, operationOf } from './tuning-job'
import type { TuningStore } from './tuning-store'

/**
 * From the request that makes a job to its checklist: by a queue, as for batches, since calls of the data path have no way to the
 * host's orchestrations, and a message that is not heard is given again.
 */
export interface TuningBeginnings {
  /** With the installation's prefix. */
  readonly queueName: string
  ask(tenantId: TenantId, id: TuningJobId): Promise<void>
  /** What the queue's trigger hears. Throws where it should be told again. */
  hear(message: unknown, orchestrations: Pick<Orchestrations, 'start'>): Promise<void>
}

const tuningQueue = 'tuning'
export const tuningQueueStorage = { queues: [tuningQueue] } as const

export function createTuningBeginnings({
  storage,
  store,
}: {
  storage: Pick<StorageAccount, 'queue'>
  store: Pick<TuningStore, 'get'>
}): TuningBeginnings {
  const queue = storage.queue(tuningQueue)
  return {
    queueName: queue.name,
    ask: async (tenantId, jobId) => {
      // As hosts read queues unless they are told otherwise.
      await queue.sendMessage(Buffer.from(JSON.stringify({ tenantId, jobId })).toString('base64'))
    },
    hear: async (message, orchestrations) => {
      const { tenantId, jobId } = read(message)
      if (!tenantId || !jobId) return
      const job = await store.get(TenantScope.ofPlatform(tenantId), jobId)
      // A checklist that gave up would begin anew; its job is over all the same, until somebody retries it.
      if (!job || isOver(job)) return
      await orchestrations.start(tuningName, operationOf(job), { tenantId, input: {} } satisfies ChecklistInput)
    },
  }
}

/** The host has parsed what is JSON. */
function read(message: unknown): { tenantId: TenantId | undefined; jobId: TuningJobId | undefined } {
  const { tenantId, jobId } = fieldsOf(message)
  return { tenantId: parseTenantId(String(tenantId)), jobId: parseTuningJobId(String(jobId)) }
}
