import { writeBlobOutput } from './blobs/blob-output'
import { bindingValues } from './core/binding-expressions'
import type { HostFunction } from './core/registry'
import type { Binding, InvocationResponse, TypedData } from './core/worker-types'
import { writeQueueOutput } from './queues/queue-output'
import type { QueueSettings } from './settings'
import type { StorageConnections } from './storage-connections'

/** Carries out what a function returned through its output bindings. */
export interface OutputWriter {
  /** Rejects when an output cannot be written: the invocation then counts as failed, as on Azure. */
  write(
    fn: HostFunction,
    response: InvocationResponse,
    trigger: { metadata: Readonly<Record<string, TypedData>>; payload?: string | undefined },
  ): Promise<void>
}

const WRITABLE = new Set(['queue', 'blob'])

export function createOutputWriter(connections: StorageConnections, queues: QueueSettings): OutputWriter {
  const writeOne = async (binding: Binding, data: TypedData, values: ReturnType<typeof bindingValues>) => {
    if (binding.type.toLowerCase() === 'queue') await writeQueueOutput(connections, queues, { binding, data, values })
    else await writeBlobOutput(connections, { binding, data, values })
  }
  return {
    write: async (fn, response, { metadata, payload }) => {
      const values = bindingValues(metadata, payload)
      const returned = response.returnValue && { name: '$return', data: response.returnValue }
      for (const { name, data } of [...(returned ? [returned] : []), ...(response.outputData ?? [])]) {
        const binding = fn.outputs.get(name)
        if (binding && WRITABLE.has(binding.type.toLowerCase())) await writeOne(binding, data, values)
      }
    },
  }
}

/** Refuses at the start what would otherwise be dropped without a word at run time. */
export function assertOutputsSupported(fn: HostFunction): void {
  for (const { type } of fn.outputs.values()) {
    if (WRITABLE.has(type.toLowerCase()) || type.toLowerCase() === 'http') continue
    throw new Error(`Function "${fn.name}": output bindings of type "${type}" are not supported by the local host`)
  }
}
