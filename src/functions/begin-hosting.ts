import type { StorageQueueFunctionOptions } from '@azure/functions'
import { input } from 'durable-functions'
import type { HostingBeginnings } from '../hosting/begin-hosting'
import { durableOrchestrations } from './durable/durable-orchestrations'

/** Wakes tuned models that were called, and puts those to sleep that are idle. */
export function beginHosting({
  hostingBeginnings,
}: {
  hostingBeginnings: Pick<HostingBeginnings, 'hear' | 'queueName'>
}): StorageQueueFunctionOptions {
  return {
    queueName: hostingBeginnings.queueName,
    connection: 'AzureWebJobsStorage',
    extraInputs: [input.durableClient()],
    handler: (message, context) => hostingBeginnings.hear(message, durableOrchestrations(context)),
  }
}
