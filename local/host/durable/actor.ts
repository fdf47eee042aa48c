import type { HostClock } from '../clock'
import { type HostLog, messageOf } from '../log'
import type { DurableFunctions } from './functions'
import type { Commit, HubStore, Partition, Version } from './hub-store'
import type { InstanceRecord, Message, OutboxRow, Outgoing, Parent, StoredMessage } from './records'
import type { TaskRunner } from './task-runner'

/** What an instance needs of its hub. */
export interface Hub {
  readonly store: HubStore
  readonly clock: HostClock
  readonly functions: DurableFunctions
  readonly tasks: TaskRunner
  readonly log: HostLog
  readonly newId: () => string
  /** Later calls give greater texts; orders messages that arrived one after the other. */
  readonly nextOrder: () => string
  /** Brings messages to another instance. Rejects when that failed; to repeat it does no harm. */
  readonly deliver: (instanceId: string, entries: readonly Outgoing[]) => Promise<void>
  /** Takes an actor whose memory may differ from the storage out of use; the instance is loaded again. */
  readonly replace: (actor: Actor) => void
  /** Tells that an actor may have come to rest. */
  readonly resting: (actor: Actor) => void
  readonly isStopping: () => boolean
}

/** Thrown by an actor that is out of use: the caller should ask the hub for the instance again. */
export class ActorReplaced extends Error {}

export type StartResult = 'started' | 'already-started' | 'exists' | 'unknown-name'

const DELIVERY_RETRY_MS_MIN = 100
const DELIVERY_RETRY_MS_MAX = 5_000

/**
 * One instance in memory: what orchestrations and entities have in common. Owner of the instance's row and rows.
 *
 * A1 Changes of the record go through `serialize`, one at a time, each based on the version of the one before.
 * A2 Memory changes only after the storage has. When a commit is lost or its fate unknown, the actor is replaced by
 *    one loaded from the storage, never patched.
 * A3 The outbox is delivered in order, one row after the other, and a row is deleted when all of it has arrived.
 */
export abstract class Actor {
  protected record: InstanceRecord | undefined
  protected input = 'null'
  protected readonly outbox: OutboxRow[] = []
  private version: Version | undefined
  private isOpen = false
  private isReplaced = false
  private tail: Promise<unknown> = Promise.resolve()
  private delivering: Promise<void> | undefined
  private working: Promise<void> | undefined

  constructor(
    readonly instanceId: string,
    protected readonly hub: Hub,
  ) {}

  /** Takes over what is stored. Nothing runs yet: first all open instances must be in memory. */
  load(partition: Partition): void {
    this.record = partition.record
    this.input = partition.input
    this.version = partition.version
    this.isOpen = partition.isOpen
    this.outbox.push(...partition.outbox)
    this.restore(partition)
  }

  /** Starts or continues the work that is there to do. */
  resume(): void {
    this.activate()
    this.deliverOutbox()
    this.wake()
  }

  /** Nothing to do and nothing to remember: may be dropped from memory. */
  get isResting(): boolean {
    return !this.working && !this.delivering && this.outbox.length === 0 && !this.hasWork() && this.canRest()
  }

  /** Resolves when no turn and no delivery is under way. */
  async settled(): Promise<void> {
    await Promise.all([this.working, this.delivering, this.tail])
  }

  abstract start(start: { name: string; input: string; parent?: Parent }): Promise<StartResult>

  /** False when there is nobody (any more) to take messages. */
  abstract receive(makeMessages: (record: InstanceRecord) => readonly Message[]): Promise<boolean>

  /** Out of use: no more turns, timers or deliveries. */
  retire(): void {
    this.isReplaced = true
  }

  protected abstract restore(partition: Partition): void
  protected abstract activate(): void
  protected abstract hasWork(): boolean
  /** False while something is still to come (timers, results) that memory must be there for. */
  protected abstract canRest(): boolean
  /** One unit of work; false when there is none. */
  protected abstract step(): Promise<boolean>

  protected serialize<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(() => {
      this.assertInUse()
      return work()
    })
    this.tail = result.catch(() => {})
    return result
  }

  protected assertInUse(): void {
    if (this.isReplaced) throw new ActorReplaced(`${this.instanceId} is being loaded again`)
  }

  /** Works until there is nothing to do. Safe to call at any time. */
  protected wake(): void {
    if (this.working || this.isReplaced || this.hub.isStopping()) return
    this.working = this.workOff().finally(() => {
      this.working = undefined
      if (this.isReplaced) return
      if (this.hasWork()) this.wake()
      else this.hub.resting(this)
    })
  }

  /** Rejects, and has itself replaced, when the change was not surely written. */
  protected async commit(
    change: Omit<Commit, 'instanceId' | 'record'>,
    next?: { record: InstanceRecord; input?: string; isOpen: boolean },
  ): Promise<void> {
    const record = next && { value: next.record, input: next.input, isOpen: next.isOpen, basedOn: this.version }
    try {
      const result = await this.hub.store.commit({
        ...change,
        instanceId: this.instanceId,
        ...(record ? { record } : {}),
      })
      if (result.kind === 'lost') throw new ActorReplaced(`another writer changed ${this.instanceId}`)
      if (!next) return
      this.version = result.version
      this.record = next.record
      this.isOpen = next.isOpen
      if (next.input !== undefined) this.input = next.input
    } catch (error) {
      if (!this.isReplaced) this.hub.replace(this)
      throw error
    }
  }

  protected get isStoredOpen(): boolean {
    return this.isOpen
  }

  protected store(messages: readonly Message[]): StoredMessage[] {
    return messages.map((message) => ({ key: this.keyOf(message), message }))
  }

  protected abstract keyOf(message: Message): string

  protected deliverOutbox(): void {
    if (this.delivering || this.isReplaced || this.outbox.length === 0) return
    this.delivering = this.deliverAll().finally(() => {
      this.delivering = undefined
      if (!this.isReplaced) this.hub.resting(this)
    })
  }

  /** The change that forgets a delivered row; the last one may also let the instance rest. */
  protected abstract forget(key: string): Promise<void>

  private async workOff(): Promise<void> {
    try {
      while (!this.hub.isStopping() && !this.isReplaced && (await this.serialize(() => this.step()))) {
        // Each step has stored what it did.
      }
    } catch (error) {
      if (!(error instanceof ActorReplaced)) {
        this.hub.log.write('error', 'durable', `${this.instanceId}: ${messageOf(error)}`)
      }
      if (!this.isReplaced) this.hub.replace(this)
    }
  }

  private async deliverAll(): Promise<void> {
    let pauseMs = DELIVERY_RETRY_MS_MIN
    for (let row = this.outbox[0]; row && !this.isReplaced && !this.hub.isStopping(); row = this.outbox[0]) {
      try {
        await this.deliverRow(row)
        await this.forget(row.key)
        this.outbox.shift()
        pauseMs = DELIVERY_RETRY_MS_MIN
      } catch (error) {
        this.hub.log.write('warning', 'durable', `${this.instanceId} could not deliver: ${messageOf(error)}`)
        const atMs = this.hub.clock.now() + pauseMs
        await new Promise<void>((resolve) => void this.hub.clock.at(atMs, resolve))
        pauseMs = Math.min(pauseMs * 2, DELIVERY_RETRY_MS_MAX)
      }
    }
  }

  /** Receivers are served side by side; what one receiver gets stays in order. */
  private async deliverRow({ entries }: OutboxRow): Promise<void> {
    const byReceiver = Map.groupBy(entries, ({ instanceId }) => instanceId)
    await Promise.all([...byReceiver].map(([instanceId, group]) => this.hub.deliver(instanceId, group)))
  }
}
