import { messageOf } from '../log'
import { Actor, type StartResult } from './actor'
import type { Partition } from './hub-store'
import { newEntity } from './new-records'
import { type EntityRequest, type EntityResponse, entityInstanceId, parseEntityInstanceId } from './protocol'
import {
  type EntityState,
  type InstanceRecord,
  type Message,
  messageKey,
  outboxKey,
  type Outgoing,
  sequenceOf,
  type StoredMessage,
} from './records'

const BATCH_OPERATIONS_MAX = 90
/** Senders whose last message is remembered. One that was forgotten could only repeat itself after so many others. */
const SENDERS_REMEMBERED_MAX = 200

type Operation = Extract<Message, { kind: 'operation' }>
interface StoredOperation {
  readonly key: string
  readonly message: Operation
}

/** An entity: takes operations in the order of their arrival, in batches, and stores state and answers in one commit. */
export class Entity extends Actor {
  private mailbox: StoredOperation[] = []

  start(): Promise<StartResult> {
    return Promise.resolve('unknown-name')
  }

  receive(makeMessages: (record: InstanceRecord) => readonly Message[]): Promise<boolean> {
    return this.serialize(async () => {
      const record = this.record ?? newEntity(this.instanceId, this.hub.clock.now(), this.hub.newId)
      const fresh = this.withoutRepeats(record, makeMessages(record).filter(isOperation))
      if (fresh.length === 0) return true
      const messages = fresh.map((message) => ({ key: this.keyOf(message), message }))
      // A resting entity is marked open with its first message, or a restart would not find the message.
      await this.commit({ messages }, this.isStoredOpen ? undefined : { record, input: 'null', isOpen: true })
      this.mailbox.push(...messages)
      this.wake()
      return true
    })
  }

  protected keyOf(message: Message): string {
    return messageKey(message, this.hub.nextOrder())
  }

  protected restore({ messages }: Partition): void {
    this.mailbox = messages.filter((stored): stored is StoredOperation => isOperation(stored.message))
  }

  protected activate(): void {
    // Operations are all there is; `wake` takes them.
  }

  protected hasWork(): boolean {
    return this.mailbox.length > 0
  }

  protected canRest(): boolean {
    return this.mailbox.length === 0
  }

  protected async forget(key: string): Promise<void> {
    await this.serialize(() => {
      const { record } = this
      const isLast = record && this.mailbox.length === 0 && this.outbox.length === 1
      return this.commit({ remove: [key] }, isLast ? { record, isOpen: false } : undefined)
    })
  }

  protected async step(): Promise<boolean> {
    const { record } = this
    const batch = this.mailbox.slice(0, BATCH_OPERATIONS_MAX)
    if (!record?.entity || batch.length === 0) return false
    const response = await this.run(record, record.entity, batch)
    const outgoing = [...answersOf(batch, response), ...this.signalsOf(record, response)]
    const outbox: { key: string; entries: Outgoing[] }[] =
      outgoing.length === 0 ? [] : [{ key: outboxKey(record.generation, record.turns), entries: outgoing }]
    const entity: EntityState = {
      exists: response.entityExists,
      state: response.entityState ?? null,
      seen: remember(record.entity.seen, batch),
    }
    const next = { ...record, entity, turns: record.turns + 1, updatedMs: this.hub.clock.now() }
    const isOpen = this.mailbox.length > batch.length || outbox.length + this.outbox.length > 0
    await this.commit({ outbox, remove: batch.map(({ key }) => key) }, { record: next, isOpen })
    this.mailbox = this.mailbox.slice(batch.length)
    this.outbox.push(...outbox)
    this.deliverOutbox()
    return true
  }

  /** When the function as a whole fails, every caller of the batch is told so and the state stays as it was. */
  private async run(
    record: InstanceRecord,
    entity: EntityState,
    batch: readonly StoredOperation[],
  ): Promise<EntityResponse> {
    const request: EntityRequest = {
      self: parseEntityInstanceId(this.instanceId),
      exists: entity.exists,
      state: entity.state,
      batch: batch.map(({ message }) => ({
        name: message.name,
        input: message.input ?? null,
        isSignal: message.replyTo === undefined,
      })),
    }
    const run = await this.hub.functions.run('entity', record.name, JSON.stringify(request), this.instanceId)
    if (run.kind === 'done') return run.result as EntityResponse
    this.hub.log.write('error', record.name, `the entity failed on ${batch.length} operations: ${messageOf(run.error)}`)
    const failure = { isError: true, result: JSON.stringify(messageOf(run.error)) }
    return { entityExists: entity.exists, entityState: entity.state, results: batch.map(() => failure), signals: [] }
  }

  private signalsOf({ executionId, generation, turns }: InstanceRecord, { signals }: EntityResponse): Outgoing[] {
    return signals.map(({ target, name, input }, index) => ({
      kind: 'message',
      instanceId: entityInstanceId(target.name, target.key),
      message: {
        kind: 'operation',
        name,
        input: input === '' ? undefined : input,
        replyTo: undefined,
        sender: { id: executionId, sequence: sequenceOf(generation, turns, index) },
      },
    }))
  }

  /** Drops what its sender has delivered before: senders deliver in order, so nothing new comes before something old. */
  private withoutRepeats(record: InstanceRecord, messages: readonly Operation[]): Operation[] {
    const seen = new Map(Object.entries(record.entity?.seen ?? {}))
    const note = ({ sender }: Operation) => sender && seen.set(sender.id, sender.sequence)
    for (const { message } of this.mailbox) note(message)
    return messages.filter((message) => {
      const last = message.sender && seen.get(message.sender.id)
      if (message.sender && last !== undefined && message.sender.sequence <= last) return false
      note(message)
      return true
    })
  }
}

function isOperation(message: Message): message is Operation {
  return message.kind === 'operation'
}

/** `result` is JSON text and must be one: the library decodes it. */
function answersOf(batch: readonly StoredMessage[], { results }: EntityResponse): Outgoing[] {
  return batch.flatMap(({ message }, i): Outgoing[] => {
    if (message.kind !== 'operation' || !message.replyTo) return []
    const { instanceId, executionId, requestId } = message.replyTo
    const { isError = true, result } = results[i] ?? {}
    const answer = { result: result ?? 'null', ...(isError ? { exceptionType: 'Error' } : {}) }
    return [
      {
        kind: 'message',
        instanceId,
        message: { kind: 'answer', executionId, requestId, input: JSON.stringify(answer) },
      },
    ]
  })
}

function remember(seen: EntityState['seen'], batch: readonly StoredOperation[]): EntityState['seen'] {
  const senders = new Map(Object.entries(seen))
  for (const { message } of batch) {
    if (!message.sender) continue
    // Taken out first, so that the most recent senders are the last ones and the oldest are dropped.
    senders.delete(message.sender.id)
    senders.set(message.sender.id, message.sender.sequence)
  }
  return Object.fromEntries([...senders].slice(-SENDERS_REMEMBERED_MAX))
}
