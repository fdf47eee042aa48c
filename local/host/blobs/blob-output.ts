import { type BindingValues, resolveExpression } from '../core/binding-expressions'
import { bindingText } from '../core/binding-text'
import type { Binding, TypedData } from '../core/worker-types'
import { HOST_STORAGE, type StorageConnections } from '../storage-connections'

/** Writes one block blob at the binding's path, over what was there. Makes the container if it is missing. */
export async function writeBlobOutput(
  connections: StorageConnections,
  { binding, data, values }: { binding: Binding; data: TypedData; values: BindingValues },
): Promise<void> {
  const path = resolveExpression(bindingText(binding, 'path'), values)
  const slash = path.indexOf('/')
  if (slash <= 0) throw new Error(`The blob path "${path}" names no container`)
  const service = connections.blobs(bindingText(binding, 'connection', HOST_STORAGE))
  const container = service.getContainerClient(path.slice(0, slash))
  await container.createIfNotExists()
  const content = Buffer.from(data.bytes ?? data.string ?? data.json ?? String(data.int ?? data.double ?? ''))
  await container.getBlockBlobClient(path.slice(slash + 1)).uploadData(content)
}
