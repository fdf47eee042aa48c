import type { QueueClient } from '@azure/storage-queue'
import { storageStatus, type StorageAccount } from './connect'

/** Where the Functions host puts a message that a trigger failed on too often (its storage-queue binding, "Poison messages"). */
const POISON = '-poison'

export interface PoisonQueue {
  take(limit: number, hiddenMs: number): Promise<readonly PoisonLetter[]>
  peek(limit: number): Promise<readonly Pick<PoisonLetter, 'insertedAt'>[]>
}

export interface PoisonLetter {
  /** Unix milliseconds. */
  readonly insertedAt: number
  /** One that somebody else has removed is no error. */
  remove(): Promise<void>
}

/** The dead letters of a queue; none where the host never had any, since it makes their queue with the first. */
export function poisonQueue(storage: Pick<StorageAccount, 'queue'>, name: string): PoisonQueue {
  const queue: QueueClient = storage.queue(`${name}${POISON}`)
  return {
    take: (limit, hiddenMs) =>
      orNone(async () => {
        const { receivedMessageItems } = await queue.receiveMessages({
          numberOfMessages: limit,
          visibilityTimeout: Math.ceil(hiddenMs / 1_000),
        })
        return receivedMessageItems.map(({ insertedOn, messageId, popReceipt }) => ({
          insertedAt: insertedOn.getTime(),
          remove: async () => void (await orNone(async () => [await queue.deleteMessage(messageId, popReceipt)])),
        }))
      }),
    peek: (limit) =>
      orNone(async () => {
        const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: limit })
        return peekedMessageItems.map(({ insertedOn }) => ({ insertedAt: insertedOn.getTime() }))
      }),
  }
}

async function orNone<T>(ask: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await ask()
  } catch (error) {
    if (storageStatus(error) === 404) return []
    throw error
  }
}
