import type { StorageQueueFunctionOptions } from '@azure/functions'
import { input } from 'durable-functions'
import type { SharedModelBeginnings } from '../shared-models/begin-shared-model'
import { durableOrchestrations } from './durable/durable-orchestrations'

/** Begins the build of each shared model that was asked for, and the retirement of each that is to go. */
export function beginSharedModel({
  sharedModelBeginnings,
}: {
  sharedModelBeginnings: Pick<SharedModelBeginnings, 'hear' | 'queueName'>
}): StorageQueueFunctionOptions {
  return {
    queueName: sharedModelBeginnings.queueName,
    connection: 'AzureWebJobsStorage',
    extraInputs: [input.durableClient()],
    handler: (message, context) => sharedModelBeginnings.hear(message, durableOrchestrations(context)),
  }
}
