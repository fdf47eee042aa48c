import type { HostClock } from '../../../local/host/clock'
import type { DurableFunctions, DurableKind } from '../../../local/host/durable/functions'
import type { HubStore } from '../../../local/host/durable/hub-store'
import { TaskHub } from '../../../local/host/durable/task-hub'

type Handler = (trigger: unknown, context: object) => unknown

/** The library's own wrappers, as `df.app` applies them; without a host only these inner modules give them out. */
const library = jest.requireActual<{
  createOrchestrator(handler: unknown): Handler
  createEntityFunction(handler: unknown): Handler
  DummyOrchestrationContext: new () => object
}>('durable-functions/lib/src/util/testingUtils')

// The generators and contexts of orchestrators are the library's; typing them again here would say nothing.
export type Orchestrator = (context: never) => Generator<unknown, unknown, unknown>

/** Durable functions run by the real library, without a host around them. */
export function functionsOf(app: {
  orchestrations?: Record<string, Orchestrator>
  activities?: Record<string, (input: never) => unknown>
  entities?: Record<string, (context: never) => void>
}): DurableFunctions {
  const handlers: Record<DurableKind, Map<string, Handler>> = {
    orchestration: wrapped(app.orchestrations, library.createOrchestrator),
    entity: wrapped(app.entities, library.createEntityFunction),
    activity: wrapped(app.activities, (handler) => (input) => (handler as (input: unknown) => unknown)(input)),
  }
  return {
    has: (kind, name) => handlers[kind].has(name.toLowerCase()),
    run: async (kind, name, trigger) => {
      const handler = handlers[kind].get(name.toLowerCase())
      if (!handler) return { kind: 'failed', error: new Error(`no ${kind} ${name}`) }
      // A turn takes a moment, so that results arrive meanwhile and come several to the next turn.
      if (kind === 'orchestration') await new Promise((resolve) => setImmediate(resolve))
      try {
        const result = await handler(parse(trigger), new library.DummyOrchestrationContext())
        return { kind: 'done', result, response: {} }
      } catch (error) {
        return { kind: 'failed', error }
      }
    },
  }
}

function wrapped(handlers: Record<string, unknown> = {}, wrap: (handler: unknown) => Handler): Map<string, Handler> {
  return new Map(Object.entries(handlers).map(([name, handler]) => [name.toLowerCase(), wrap(handler)]))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export interface HandHostClock extends HostClock {
  /** Moves on to the next alarm and wakes it; false when there is none. */
  next(): boolean
}

export function handHostClock(startMs = Date.UTC(2026, 0, 1)): HandHostClock {
  let nowMs = startMs
  const alarms = new Set<{ atMs: number; wake: () => void }>()
  return {
    now: () => nowMs,
    at: (atMs, wake) => {
      const alarm = { atMs, wake }
      alarms.add(alarm)
      return () => void alarms.delete(alarm)
    },
    next: () => {
      const [alarm] = [...alarms].sort((a, b) => a.atMs - b.atMs)
      if (!alarm) return false
      alarms.delete(alarm)
      nowMs = Math.max(nowMs, alarm.atMs)
      alarm.wake()
      return true
    },
  }
}

export interface LogLine {
  readonly level: string
  readonly message: string
}

export function hubOn(store: HubStore, functions: DurableFunctions, clock: HostClock = handHostClock()) {
  const lines: LogLine[] = []
  const log = { write: (level: string, _category: string, message: string) => void lines.push({ level, message }) }
  return { hub: new TaskHub({ store, clock, functions, log }), lines }
}

const IDLE_ROUNDS = 30
/** Work that waits for no alarm is given so many times the rounds before it counts as stuck: a long program needs more than one. */
const STUCK_AFTER = 100

/** Lets everything run that can, moving time on when nothing else happens, until `isDone` or there is nothing left. */
export async function runUntil(clock: HandHostClock, isDone: () => Promise<boolean>): Promise<void> {
  for (let still = 0; still < STUCK_AFTER; still++) {
    for (let i = 0; i < IDLE_ROUNDS; i++) await new Promise((resolve) => setImmediate(resolve))
    if (await isDone()) return
    if (clock.next()) still = 0
  }
  throw new Error('nothing is left to happen, and it is not done')
}

/** A store that a host loses with its life: after `crash` no call through it has an effect or comes back. */
export function mortal(store: HubStore): { store: HubStore; crash: () => void } {
  let isAlive = true
  const never = new Promise<never>(() => {})
  const guard =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (!isAlive) return never
      const result = await call(...args)
      return isAlive ? result : never
    }
  return {
    crash: () => {
      isAlive = false
    },
    store: {
      init: guard(() => store.init()),
      commit: guard((change) => store.commit(change)),
      partition: guard((instanceId) => store.partition(instanceId)),
      get: guard((instanceId) => store.get(instanceId)),
      openIds: guard(() => store.openIds()),
      list: guard((filter, page) => store.list(filter, page)),
      purge: guard((instanceId) => store.purge(instanceId)),
    },
  }
}

export async function outcomeOf(store: HubStore, instanceId: string) {
  const { record } = (await store.get(instanceId)) ?? {}
  return { status: record?.status, output: JSON.parse(record?.output ?? 'null') as unknown }
}

export async function isOver(store: HubStore, instanceId: string): Promise<boolean> {
  const { status } = await outcomeOf(store, instanceId)
  return status === 'Completed' || status === 'Failed' || status === 'Terminated'
}
