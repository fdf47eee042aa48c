import { type BindingValues, resolveExpression } from '../core/binding-expressions'
import { bindingText } from '../core/binding-text'
import type { Binding, TypedData } from '../core/worker-types'
import type { QueueSettings } from '../settings'
import { HOST_STORAGE, type StorageConnections } from '../storage-connections'
import { encodeMessage } from './message-encoding'

/** Sends one message, or one for each element of an array, in order. Makes the queue if it is missing. */
export async function writeQueueOutput(
  connections: StorageConnections,
  { messageEncoding }: QueueSettings,
  { binding, data, values }: { binding: Binding; data: TypedData; values: BindingValues },
): Promise<void> {
  const name = resolveExpression(bindingText(binding, 'queueName'), values)
  const queue = connections.queues(bindingText(binding, 'connection', HOST_STORAGE)).getQueueClient(name)
  await queue.createIfNotExists()
  for (const text of messagesOf(data)) await queue.sendMessage(encodeMessage(text, messageEncoding))
}

function messagesOf(data: TypedData): (string | Uint8Array)[] {
  if (data.bytes) return [data.bytes]
  if (data.json === undefined) return [String(data.string ?? data.int ?? data.double ?? '')]
  const value: unknown = JSON.parse(data.json)
  if (!Array.isArray(value)) return [data.json]
  return value.map((item: unknown) => (typeof item === 'string' ? item : JSON.stringify(item)))
}
