import { Actor, type StartResult } from './actor'
import { answeredNumbers, type ControlMessage, controlOf, eventsOf, type Incoming } from './incoming'
import { InstanceTimers } from './instance-timers'
import type { Partition } from './hub-store'
import { closingEvents, openingEvents } from './history'
import { newOrchestration } from './new-records'
import { allowsBatches, NO_NUMBERS, type Numbering, replayTurn } from './numbering'
import { outgoingOf, parentMessage } from './outgoing'
import { playTurn } from './play-turn'
import {
  type InstanceRecord,
  isFinished,
  type Message,
  messageKey,
  outboxKey,
  type Outgoing,
  type Parent,
  turnKey,
} from './records'
import type { Outcome } from './run-orchestrator'
import { finish } from './finish'
import type { OpenTask, Turn, TurnEvent } from './turn'

/** Events of one turn; with record, turn, outbox and a deletion each they stay under the 100 rows of a commit. */
const TURN_EVENTS_MAX = 90
const SWEEP_ROWS_MAX = 90

/**
 * An orchestration. Its work is turns: take what has come, run the orchestrator over the whole history, store in one
 * commit what changed, and only then set off what was asked for. (A few lines over 300, since all of it works on the
 * same memory, which A2 allows to change in one place only; whatever could be decided without it is elsewhere.)
 */
export class Orchestration extends Actor {
  private numbering: Numbering = NO_NUMBERS
  /** JSON texts of the played events of this generation. */
  private history: string[] = []
  private lastTimestampMs = 0
  private mailbox: Incoming[] = []
  private readonly timers = new InstanceTimers(this.hub.clock)

  start(start: { name: string; input: string; parent?: Parent }): Promise<StartResult> {
    return this.serialize(async () => {
      const existing = this.record
      if (existing && isSameChild(existing.parent, start.parent)) return 'already-started'
      if (existing && !isFinished(existing)) return 'exists'
      if (!this.hub.functions.has('orchestration', start.name)) return 'unknown-name'
      const { clock, newId } = this.hub
      const generation = (existing?.generation ?? -1) + 1
      const record = newOrchestration({ ...start, instanceId: this.instanceId, generation }, clock.now(), newId)
      await this.commit({}, { record, input: start.input, isOpen: true })
      this.beginGeneration()
      this.wake()
      return 'started'
    })
  }

  async receive(makeMessages: (record: InstanceRecord) => readonly Message[]): Promise<boolean> {
    this.assertInUse()
    const { record } = this
    if (!record || isFinished(record)) return false
    const messages = this.store(makeMessages(record))
    await this.commit({ messages })
    const known = new Set(this.mailbox.map(({ key }) => key))
    this.mailbox.push(...messages.filter(({ key }) => !known.has(key)))
    this.wake()
    return true
  }

  override retire(): void {
    super.retire()
    this.timers.stopAll()
  }

  protected keyOf(message: Message): string {
    return messageKey(message, this.hub.nextOrder())
  }

  protected restore({ turns, messages, record }: Partition): void {
    const own = turns.filter(({ generation }) => generation === record.generation)
    if (own.length === 0) this.lastTimestampMs = record.updatedMs
    this.sweep(turns.filter(({ generation }) => generation !== record.generation).map(turnKey))
    if (isFinished(record)) return this.sweep(messages.map(({ key }) => key))
    for (const turn of own) this.remember(turn)
    this.mailbox = [...messages]
  }

  protected activate(): void {
    const { record, hub } = this
    if (!record || isFinished(record)) return
    // An app that lost a function (a typo, a branch) must not cost the instance: it goes on when the function is back.
    if (!this.hasCode(record))
      hub.log.write('error', 'durable', `${this.instanceId} waits for '${record.name}', which the app lacks`)
    // A task whose result is stored and only not yet taken must not run again.
    const done = answeredNumbers(record, this.numbering, this.mailbox)
    for (const task of this.numbering.open.values()) if (!done.has(task.taskNumber)) this.setOff(task)
  }

  protected hasWork(): boolean {
    const { record } = this
    if (!record || isFinished(record)) return false
    if (this.mailbox.some((incoming) => controlOf(incoming))) return true
    if (record.status === 'Suspended' || !this.hasCode(record)) return false
    return record.turns === 0 || this.mailbox.length > 0
  }

  protected canRest(): boolean {
    return !this.record || isFinished(this.record)
  }

  protected async step(): Promise<boolean> {
    const { record } = this
    if (!record || !this.hasWork()) return false
    const [control] = this.mailbox.flatMap((incoming) => controlOf(incoming) ?? [])
    if (control) await this.obey(record, control)
    else if (record.turns === 0) await this.turn(record, [{ kind: 'execution-started' }], [])
    else await this.takeMail(record)
    return true
  }

  protected async forget(key: string): Promise<void> {
    await this.serialize(() => {
      const { record } = this
      const isLast = record && isFinished(record) && this.outbox.length === 1
      // When the last message of a finished instance is out, it need not be loaded at the next start.
      return this.commit({ remove: [key] }, isLast ? { record, isOpen: false } : undefined)
    })
  }

  private beginGeneration(): void {
    this.numbering = NO_NUMBERS
    this.history = []
    this.lastTimestampMs = Math.max(this.lastTimestampMs, (this.record?.createdMs ?? 0) - 1)
  }

  private hasCode({ name }: InstanceRecord): boolean {
    return this.hub.functions.has('orchestration', name)
  }

  private async obey(
    record: InstanceRecord,
    { key, message }: { key: string; message: ControlMessage },
  ): Promise<void> {
    const updatedMs = this.hub.clock.now()
    if (message.lifeId !== record.lifeId) await this.commit({ remove: [key] })
    else if (message.kind === 'terminate') {
      const outgoing = parentMessage(record, { kind: 'failed', reason: message.reason, details: '' })
      const output = JSON.stringify(message.reason)
      await this.end(
        record,
        { ...record, status: 'Terminated', output, updatedMs, turns: record.turns + 1 },
        { outgoing, remove: [key] },
      )
    } else {
      const status = message.kind === 'suspend' ? 'Suspended' : record.turns === 0 ? 'Pending' : 'Running'
      await this.commit({ remove: [key] }, { record: { ...record, status, updatedMs }, isOpen: true })
    }
    this.mailbox = this.mailbox.filter((incoming) => incoming.key !== key)
  }

  private async takeMail(record: InstanceRecord): Promise<void> {
    const taken = this.mailbox.slice(0, allowsBatches(this.numbering) ? TURN_EVENTS_MAX : 1)
    const events = eventsOf(record, this.numbering, taken)
    const remove = taken.flatMap(({ key }) => key ?? [])
    if (events.length > 0) await this.turn(record, events, remove)
    else if (remove.length > 0) await this.commit({ remove })
    this.mailbox = this.mailbox.filter((incoming) => !taken.includes(incoming))
  }

  /** One run of the orchestrator. `remove` are the stored messages that the events came from. */
  private async turn(record: InstanceRecord, events: readonly TurnEvent[], remove: readonly string[]): Promise<void> {
    const { numbering, history, input } = this
    const { turn, outcome, customStatus } = await playTurn(
      this.hub.functions,
      { record, input, history, numbering },
      {
        events,
        timestampMs: this.nextTimestamp(events),
        newRequestId: this.hub.newId,
      },
    )
    const next = { ...record, customStatus, updatedMs: this.hub.clock.now(), turns: record.turns + 1 }
    await this.conclude({ record, next, turn, outcome, remove })
  }

  private async conclude(done: {
    record: InstanceRecord
    next: InstanceRecord
    turn: Turn
    outcome: Outcome
    remove: readonly string[]
  }): Promise<void> {
    const { record, next, turn, outcome, remove } = done
    const outgoing = outgoingOf(record, turn)
    switch (outcome.kind) {
      case 'waiting': {
        await this.commitTurn(
          { record, turn, outgoing, remove },
          { record: { ...next, status: 'Running' }, isOpen: true },
        )
        this.remember(turn)
        for (const taskNumber of turn.canceled) this.timers.stop(taskNumber)
        for (const task of turn.scheduled) if (this.numbering.open.has(task.taskNumber)) this.setOff(task)
        return this.deliverOutbox()
      }
      case 'continued-as-new': {
        const { generation, executionId } = { generation: record.generation + 1, executionId: this.hub.newId() }
        const renewed: InstanceRecord = { ...next, status: 'Running', generation, executionId, turns: 0 }
        await this.commitTurn(
          { record, turn, outgoing, remove },
          { record: renewed, input: outcome.input, isOpen: true },
        )
        this.beginGeneration()
        this.sweep(
          Array.from({ length: record.turns + 1 }, (_, turn) => turnKey({ generation: record.generation, turn })),
        )
        return this.deliverOutbox()
      }
      case 'completed':
      case 'failed': {
        const { finished, answer } = finish(next, outcome)
        await this.end(record, finished, { turn, outgoing: [...outgoing, ...parentMessage(record, answer)], remove })
      }
    }
  }

  private async end(
    record: InstanceRecord,
    finished: InstanceRecord,
    { turn, outgoing, remove }: { turn?: Turn; outgoing: readonly Outgoing[]; remove: readonly string[] },
  ): Promise<void> {
    await this.commitTurn(
      { record, turn, outgoing, remove },
      { record: finished, isOpen: outgoing.length + this.outbox.length > 0 },
    )
    this.timers.stopAll()
    this.sweep(this.mailbox.flatMap(({ key }) => (key === undefined || remove.includes(key) ? [] : key)))
    this.mailbox = []
    this.deliverOutbox()
  }

  private async commitTurn(
    {
      record,
      turn,
      outgoing,
      remove,
    }: { record: InstanceRecord; turn: Turn | undefined; outgoing: readonly Outgoing[]; remove: readonly string[] },
    next: { record: InstanceRecord; input?: string; isOpen: boolean },
  ): Promise<void> {
    const outbox = outgoing.length === 0 ? [] : [{ key: outboxKey(record.generation, record.turns), entries: outgoing }]
    await this.commit({ ...(turn ? { turn } : {}), outbox, remove }, next)
    this.outbox.push(...outbox)
  }

  private remember(turn: Turn): void {
    const { record } = this
    if (!record) return
    const start = { name: record.name, input: this.input }
    for (const event of [...openingEvents(turn, start, true), ...closingEvents(turn)])
      this.history.push(JSON.stringify(event))
    this.numbering = replayTurn(this.numbering, turn)
    this.lastTimestampMs = turn.timestampMs
  }

  /**
   * Orchestration time: it only moves forward, and is never before a timer that has fired (a timer of the system can
   * be a millisecond early, and the library would then believe that it is not over).
   */
  private nextTimestamp(events: readonly TurnEvent[]): number {
    const fired = events.flatMap((event) => (event.kind === 'timer-fired' ? event.fireAtMs : []))
    return Math.max(this.hub.clock.now(), this.lastTimestampMs + 1, ...fired)
  }

  private setOff(task: OpenTask): void {
    const { record } = this
    if (!record) return
    const { instanceId } = this
    const { taskNumber } = task
    const common = { instanceId, executionId: record.executionId, taskNumber }
    if (task.kind === 'timer') this.setTimer(taskNumber, task.fireAtMs)
    else if (task.kind === 'http') this.hub.tasks.run({ ...common, work: { kind: 'http', request: task.request } })
    else if (task.call.kind === 'activity') this.hub.tasks.run({ ...common, work: task.call })
    // Sub-orchestrations are started through the outbox.
  }

  private setTimer(taskNumber: number, fireAtMs: number): void {
    this.timers.set(taskNumber, fireAtMs, () => {
      this.mailbox.push({ key: undefined, timer: { taskNumber, fireAtMs } })
      this.wake()
    })
  }

  /** Deletes rows that nothing reads any more, when it can; what stays behind is deleted at the next load. */
  private sweep(keys: readonly string[]): void {
    for (let i = 0; i < keys.length; i += SWEEP_ROWS_MAX) {
      const remove = keys.slice(i, i + SWEEP_ROWS_MAX)
      this.hub.store.commit({ instanceId: this.instanceId, remove }).catch(() => {})
    }
  }
}

function isSameChild(a: Parent | undefined, b: Parent | undefined): boolean {
  return a !== undefined && a.executionId === b?.executionId && a.taskNumber === b.taskNumber
}
