import type { StorageQueueFunctionOptions } from '@azure/functions'
import { input } from 'durable-functions'
import type { BatchBeginnings } from '../batches/begin-batch'
import { durableOrchestrations } from './durable/durable-orchestrations'

/** Begins the checklist of each batch that was made. */
export function beginBatch({
  batchBeginnings,
}: {
  batchBeginnings: Pick<BatchBeginnings, 'hear' | 'queueName'>
}): StorageQueueFunctionOptions {
  return {
    queueName: batchBeginnings.queueName,
    connection: 'AzureWebJobsStorage',
    extraInputs: [input.durableClient()],
    handler: (message, context) => batchBeginnings.hear(message, durableOrchestrations(context)),
  }
}
