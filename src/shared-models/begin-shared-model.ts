import type { Orchestrations } from '../base/durable-steps'
import { fieldsOf } from '../base/json-object'
import type { ChecklistInput } from '../checklists/run-checklist'
import type { StorageAccount } from '../storage/connect'
import { ownerOf, parseSharedModelId, retirementOf, type SharedModelId } from './shared-model'
import { sharedModelStorage, type SharedModels } from './shared-models'

/**
 * From a record to its checklist: by a queue, since timers and steps of other checklists have no way to the host's
 * orchestrations, and a message that is not heard is given again.
 */
export interface SharedModelBeginnings {
  /** With the installation's prefix. */
  readonly queueName: string
  /** What its record says is to be done with it is begun, soon and at least once; again for what has begun does nothing. */
  ask(id: SharedModelId): Promise<void>
  /** What the queue's trigger hears. Throws where it should be told again. */
  hear(message: unknown, orchestrations: Pick<Orchestrations, 'start'>): Promise<void>
}

export const buildName = 'shared-model'
export const retirementName = 'shared-model-retirement'

export function createSharedModelBeginnings({
  storage,
  models,
}: {
  storage: Pick<StorageAccount, 'queue'>
  models: Pick<SharedModels, 'get'>
}): SharedModelBeginnings {
  const queue = storage.queue(sharedModelStorage.queues[0])
  return {
    queueName: queue.name,
    ask: async (id) => {
      // As hosts read queues unless they are told otherwise.
      await queue.sendMessage(Buffer.from(JSON.stringify({ id })).toString('base64'))
    },
    hear: async (message, orchestrations) => {
      const id = read(message)
      const model = id && (await models.get(id))
      if (!model) return
      const input: ChecklistInput = { tenantId: ownerOf(model.id), input: {} }
      if (model.state.kind === 'building') await orchestrations.start(buildName, model.id, input)
      if (model.state.kind === 'retiring') await orchestrations.start(retirementName, retirementOf(model.id), input)
    },
  }
}

/** The host has parsed what is JSON. */
function read(message: unknown): SharedModelId | undefined {
  const { id } = fieldsOf(message)
  return parseSharedModelId(String(id))
}
