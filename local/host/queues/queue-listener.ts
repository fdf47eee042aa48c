import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue'
import { type HostClock, sleepUntil } from '../clock'
import type { HostFunction } from '../core/registry'
import { type FunctionRunner, runLogged } from '../core/run-function'
import type { TypedData } from '../core/worker-types'
import { type HostLog, messageOf } from '../log'
import type { QueueSettings } from '../settings'
import { isStatus } from '../storage-error'
import { decodeMessage } from './message-encoding'

const POLLING_INTERVAL_MS_MIN = 100
const POLLING_GROWTH = 1.5
/** How long a message stays hidden while it is worked on; renewed meanwhile. After a kill it is back this late. */
const HIDDEN_SECONDS = 30
const RENEWAL_INTERVAL_MS = 10_000
const CAPACITY_POLL_MS = 10

interface Deps {
  readonly queue: QueueClient
  /** Where messages go that failed `maxDequeueCount` times. */
  readonly poison: QueueClient
  readonly settings: QueueSettings
  readonly clock: HostClock
  readonly run: FunctionRunner
  readonly log: HostLog
}

export interface QueueListener {
  /** Resolves when the messages in work are done with. */
  stop(): Promise<void>
  startByHand(input: string): void
}

/** Feeds one function from one queue: in batches, at least once, poison after `maxDequeueCount` failures. */
export function listenToQueue(deps: Deps, fn: HostFunction): QueueListener {
  const stopping = new AbortController()
  const worker = new QueueWorker(deps, fn, stopping.signal)
  const ended = worker.poll()
  return {
    stop: async () => {
      stopping.abort()
      await ended
      await worker.idle()
    },
    startByHand: (input) => void runLogged(deps, fn, { data: { string: input } }),
  }
}

class QueueWorker {
  private readonly inWork = new Set<Promise<void>>()

  constructor(
    private readonly deps: Deps,
    private readonly fn: HostFunction,
    private readonly stop: AbortSignal,
  ) {}

  async idle(): Promise<void> {
    await Promise.all(this.inWork)
  }

  /** Looks for messages, at ever longer intervals while there are none. A failing storage is an empty queue. */
  async poll(): Promise<void> {
    const { clock, settings, queue, log } = this.deps
    let intervalMs = POLLING_INTERVAL_MS_MIN
    let isMade = false
    while (!this.stop.aborted) {
      try {
        if (!isMade) await queue.createIfNotExists()
        isMade = true
        if (await this.takeBatch()) {
          intervalMs = POLLING_INTERVAL_MS_MIN
          continue
        }
      } catch (error) {
        // A queue that was deleted under us is made again.
        isMade = false
        log.write('warning', this.fn.name, `the queue ${queue.name} cannot be read: ${messageOf(error)}`)
      }
      await sleepUntil(clock, clock.now() + intervalMs, this.stop)
      intervalMs = Math.min(intervalMs * POLLING_GROWTH, Math.max(settings.maxPollingIntervalMs, intervalMs))
    }
  }

  private async takeBatch(): Promise<boolean> {
    const { settings, queue, clock } = this.deps
    if (this.inWork.size > settings.newBatchThreshold) {
      await sleepUntil(clock, clock.now() + CAPACITY_POLL_MS, this.stop)
      return true
    }
    const numberOfMessages = settings.batchSize
    const { receivedMessageItems } = await queue.receiveMessages({
      numberOfMessages,
      visibilityTimeout: HIDDEN_SECONDS,
    })
    for (const message of receivedMessageItems) this.begin(message)
    return receivedMessageItems.length > 0
  }

  private begin(message: DequeuedMessageItem): void {
    const work = this.handle(message)
      .catch((error: unknown) => {
        // The message comes back by itself when its time of being hidden ends.
        this.deps.log.write('error', this.fn.name, `message ${message.messageId}: ${messageOf(error)}`)
      })
      .finally(() => this.inWork.delete(work))
    this.inWork.add(work)
  }

  private async handle(message: DequeuedMessageItem): Promise<void> {
    const { queue, settings, log } = this.deps
    const text = decodeMessage(message.messageText, settings.messageEncoding)
    if (text === undefined) {
      log.write('error', this.fn.name, `message ${message.messageId} is not base64 and goes to the poison queue`)
      return this.giveUp(message, message.popReceipt)
    }
    const lease = this.keepHidden(message)
    let succeeded = false
    try {
      succeeded = await runLogged(this.deps, this.fn, { data: { string: text }, metadata: metadataOf(message, text) })
    } finally {
      await lease.end()
    }
    if (succeeded) await ignoringLostLease(queue.deleteMessage(message.messageId, lease.popReceipt()))
    else if (message.dequeueCount >= settings.maxDequeueCount) await this.giveUp(message, lease.popReceipt())
    else await ignoringLostLease(this.release(message, lease.popReceipt()))
  }

  private keepHidden(message: DequeuedMessageItem) {
    const { queue, clock, log } = this.deps
    const ending = new AbortController()
    let popReceipt = message.popReceipt
    const renew = async () => {
      for (;;) {
        await sleepUntil(clock, clock.now() + RENEWAL_INTERVAL_MS, ending.signal)
        if (ending.signal.aborted) return
        try {
          const renewed = await queue.updateMessage(message.messageId, popReceipt, undefined, HIDDEN_SECONDS)
          popReceipt = renewed.popReceipt ?? popReceipt
        } catch (error) {
          log.write('warning', this.fn.name, `message ${message.messageId} was not renewed: ${messageOf(error)}`)
        }
      }
    }
    const ended = renew()
    return {
      popReceipt: () => popReceipt,
      end: () => {
        ending.abort()
        return ended
      },
    }
  }

  private async release({ messageId }: DequeuedMessageItem, popReceipt: string): Promise<void> {
    const { queue, settings } = this.deps
    await queue.updateMessage(messageId, popReceipt, undefined, Math.ceil(settings.visibilityTimeoutMs / 1_000))
  }

  /** Copy first, delete then: a crash in between leaves the message twice and never not at all. */
  private async giveUp(message: DequeuedMessageItem, popReceipt: string): Promise<void> {
    const { poison, queue, log } = this.deps
    log.write('warning', this.fn.name, `message ${message.messageId} goes to ${poison.name}`)
    await poison.createIfNotExists()
    await poison.sendMessage(message.messageText)
    await ignoringLostLease(queue.deleteMessage(message.messageId, popReceipt))
  }
}

/** 404: the message is gone or belongs to somebody else by now; whoever has it will finish it. */
async function ignoringLostLease(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!isStatus(error, 400, 404)) throw error
  }
}

function metadataOf(message: DequeuedMessageItem, text: string): Record<string, TypedData> {
  return {
    queueTrigger: { string: text },
    id: { string: message.messageId },
    popReceipt: { string: message.popReceipt },
    dequeueCount: { int: message.dequeueCount },
    insertionTime: { string: JSON.stringify(message.insertedOn) },
    expirationTime: { string: JSON.stringify(message.expiresOn) },
    nextVisibleTime: { string: JSON.stringify(message.nextVisibleOn) },
  }
}
