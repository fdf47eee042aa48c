import type { StorageQueueFunctionOptions } from '@azure/functions'
import { input } from 'durable-functions'
import type { TuningBeginnings } from '../tuning/begin-tuning'
import { durableOrchestrations } from './durable/durable-orchestrations'

/** Begins the checklist of each fine-tuning job that was made or is retried. */
export function beginTuning({
  tuningBeginnings,
}: {
  tuningBeginnings: Pick<TuningBeginnings, 'hear' | 'queueName'>
}): StorageQueueFunctionOptions {
  return {
    queueName: tuningBeginnings.queueName,
    connection: 'AzureWebJobsStorage',
    extraInputs: [input.durableClient()],
    handler: (message, context) => tuningBeginnings.hear(message, durableOrchestrations(context)),
  }
}
