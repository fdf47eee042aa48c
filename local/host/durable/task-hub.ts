import { randomUUID } from 'node:crypto'
import type { HostClock } from '../clock'
import { describeError, type HostLog, messageOf } from '../log'
import { type Actor, ActorReplaced, type Hub, type StartResult } from './actor'
import { Entity } from './entity'
import type { DurableFunctions } from './functions'
import type { HubStore } from './hub-store'
import { Orchestration } from './orchestration'
import { parentMessage } from './outgoing'
import { isEntityInstanceId } from './protocol'
import type { InstanceRecord, Message, Outgoing } from './records'
import { createTaskRunner } from './task-runner'

const LOADS_AT_ONCE_MAX = 16
const RELOAD_PAUSE_MS = 250
const REPLACED_RETRIES_MAX = 3
const ORDER_DIGITS = 15
const COUNTER_DIGITS = 6

interface Slot {
  readonly actor: Promise<Actor>
  /** Set when loaded. */
  loaded: Actor | undefined
  users: number
}

/**
 * All instances of a task hub, in this one process.
 *
 * H1 There is at most one actor an id, however many ask for it at once; an actor is dropped only while nobody uses it.
 * H2 At the start every open instance is in memory before any message is sent: an answer to a parent that is not there
 *    yet would otherwise be dropped.
 */
export class TaskHub implements Hub {
  readonly tasks: Hub['tasks']
  private readonly slots = new Map<string, Slot>()
  private stopping = false
  private counter = 0
  private lastOrderMs = 0

  constructor(private readonly deps: { store: HubStore; clock: HostClock; functions: DurableFunctions; log: HostLog }) {
    this.tasks = createTaskRunner({
      ...deps,
      isStopping: () => this.stopping,
      handBack: ({ instanceId, executionId, taskNumber }, outcome) => {
        const message: Message = { kind: 'task-result', executionId, taskNumber, outcome }
        return this.deliver(instanceId, [{ kind: 'message', instanceId, message }])
      },
    })
  }

  get store() {
    return this.deps.store
  }
  get clock() {
    return this.deps.clock
  }
  get functions() {
    return this.deps.functions
  }
  get log() {
    return this.deps.log
  }
  readonly newId = () => randomUUID().replaceAll('-', '')
  readonly isStopping = () => this.stopping

  readonly nextOrder = (): string => {
    this.lastOrderMs = Math.max(this.lastOrderMs, this.clock.now())
    this.counter++
    return `${String(this.lastOrderMs).padStart(ORDER_DIGITS, '0')}_${String(this.counter).padStart(COUNTER_DIGITS, '0')}`
  }

  /** Loads what is open and goes on with it. An instance that cannot be loaded is left out, and said so. */
  async start(): Promise<void> {
    await this.store.init()
    const ids = await this.store.openIds()
    const actors: Actor[] = []
    for (let i = 0; i < ids.length; i += LOADS_AT_ONCE_MAX) {
      const loads = ids.slice(i, i + LOADS_AT_ONCE_MAX).map((id) => this.loadAtStart(id))
      actors.push(...(await Promise.all(loads)).flatMap((actor) => actor ?? []))
    }
    for (const actor of actors) actor.resume()
  }

  /** Ends turns at the next commit. What is under way in activities is theirs to end. */
  async stop(): Promise<void> {
    this.stopping = true
    await Promise.all([...this.slots.values()].flatMap(({ loaded }) => loaded?.settled() ?? []))
  }

  startInstance(instanceId: string, start: { name: string; input: string }): Promise<StartResult> {
    return this.with(instanceId, (actor) => actor.start(start))
  }

  /** False: there is no such instance, or it is finished. */
  post(instanceId: string, makeMessage: (record: InstanceRecord) => Message): Promise<boolean> {
    return this.with(instanceId, (actor) => actor.receive((record) => [makeMessage(record)]))
  }

  readonly deliver = (instanceId: string, entries: readonly Outgoing[]): Promise<void> =>
    this.with(instanceId, async (actor) => {
      for (const entry of entries) if (entry.kind === 'start') await this.startChild(actor, entry)
      const messages = entries.flatMap((entry) => (entry.kind === 'message' ? [entry.message] : []))
      if (messages.length > 0) await actor.receive(() => messages)
    })

  readonly replace = (actor: Actor): void => {
    actor.retire()
    const { instanceId } = actor
    if (this.slots.get(instanceId)?.loaded === actor) this.slots.delete(instanceId)
    if (this.stopping) return
    this.log.write('warning', 'durable', `${instanceId} is loaded again`)
    this.clock.at(this.clock.now() + RELOAD_PAUSE_MS, () => {
      if (this.stopping) return
      this.with(instanceId, () => Promise.resolve()).catch((error: unknown) => {
        this.log.write('error', 'durable', `${instanceId} cannot be loaded: ${messageOf(error)}`)
        this.replace(actor)
      })
    })
  }

  readonly resting = (actor: Actor): void => {
    const slot = this.slots.get(actor.instanceId)
    if (slot?.loaded === actor && slot.users === 0 && actor.isResting) this.slots.delete(actor.instanceId)
  }

  /** Deletes a finished orchestration or a resting entity with all its rows. False: there is none. */
  async purge(instanceId: string): Promise<boolean> {
    const slot = this.slots.get(instanceId)
    const actor = await slot?.actor
    await actor?.settled()
    const stored = await this.store.get(instanceId)
    if (!stored || stored.isOpen) return false
    actor?.retire()
    if (this.slots.get(instanceId) === slot) this.slots.delete(instanceId)
    return this.store.purge(instanceId)
  }

  private async loadAtStart(instanceId: string): Promise<Actor | undefined> {
    try {
      return await this.open(instanceId, { resume: false }).actor
    } catch (error) {
      this.log.write('error', 'durable', `${instanceId} cannot be loaded and is left out: ${describeError(error)}`)
      return undefined
    }
  }

  private async startChild(actor: Actor, { instanceId, name, input, parent }: Extract<Outgoing, { kind: 'start' }>) {
    const result = await actor.start({ name, input, parent })
    if (result === 'started' || result === 'already-started') return
    const reason =
      result === 'exists'
        ? `An orchestration with the id '${instanceId}' is already running.`
        : `The function '${name}' doesn't exist, is disabled, or is not an orchestrator function.`
    for (const entry of parentMessage({ parent }, { kind: 'failed', reason, details: '' })) {
      await this.deliver(entry.instanceId, [entry])
    }
  }

  private async with<T>(instanceId: string, work: (actor: Actor) => Promise<T>): Promise<T> {
    for (let retries = 0; ; retries++) {
      const slot = this.slots.get(instanceId) ?? this.open(instanceId, { resume: true })
      slot.users++
      try {
        return await work(await slot.actor)
      } catch (error) {
        if (!(error instanceof ActorReplaced) || retries >= REPLACED_RETRIES_MAX) throw error
      } finally {
        slot.users--
        if (slot.loaded) this.resting(slot.loaded)
      }
    }
  }

  private open(instanceId: string, { resume }: { resume: boolean }): Slot {
    const slot: Slot = { actor: this.load(instanceId), loaded: undefined, users: 0 }
    this.slots.set(instanceId, slot)
    slot.actor.then(
      (actor) => {
        slot.loaded = actor
        if (resume) actor.resume()
      },
      () => {
        if (this.slots.get(instanceId) === slot) this.slots.delete(instanceId)
      },
    )
    return slot
  }

  private async load(instanceId: string): Promise<Actor> {
    const partition = await this.store.partition(instanceId)
    const actor = isEntityInstanceId(instanceId) ? new Entity(instanceId, this) : new Orchestration(instanceId, this)
    if (partition) actor.load(partition)
    return actor
  }
}
