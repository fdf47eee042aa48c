import * as df from 'durable-functions'
import fc from 'fast-check'
import { createMemoryStore } from '../../../local/host/durable/memory-store'
import type { Message } from '../../../local/host/durable/records'
import type { TaskHub } from '../../../local/host/durable/task-hub'
import { functionsOf, handHostClock, hubOn, isOver, mortal, outcomeOf, runUntil } from './durable-harness'

/** One step of a random orchestration; every leaf has an id, so that a result which went astray is noticed. */
type Leaf =
  | { kind: 'activity'; id: number }
  | { kind: 'retry'; id: number; failures: number; attempts: number }
  | { kind: 'child'; id: number }
  | { kind: 'timer'; ms: number }
type Step = Leaf | { kind: 'signal'; amount: number } | { kind: 'get' } | { kind: 'all'; leaves: Leaf[] } | { kind: 'race'; id: number } | { kind: 'overtake'; id: number; slow: Leaf & { kind: 'retry' } } // prettier-ignore

const PROGRAM_STEPS_MAX = 10
const DAY_MS = 24 * 3_600_000
const ALWAYS = 99

const id = fc.integer({ min: 0, max: 1_000_000 })
const retry = fc.record({
  kind: fc.constant('retry' as const),
  id,
  failures: fc.constantFrom(0, 1, 2, ALWAYS),
  attempts: fc.constantFrom(3, 4),
})
const leaf: fc.Arbitrary<Leaf> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('activity' as const), id }) },
  { weight: 3, arbitrary: retry },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('child' as const), id }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('timer' as const), ms: fc.constantFrom(1, 500, 20 * DAY_MS) }),
  },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: leaf },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('signal' as const), amount: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'get' }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('all' as const), leaves: fc.array(leaf, { minLength: 1, maxLength: 5 }) }) }, // prettier-ignore
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('race' as const), id }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('overtake' as const), id, slow: retry }) },
)

const retryOf = ({ attempts }: { attempts: number }) => {
  const options = new df.RetryOptions(1_000, attempts)
  options.backoffCoefficient = 2
  return options
}

function taskOf(context: df.OrchestrationContext, item: Leaf): df.Task {
  switch (item.kind) {
    case 'activity':
      return context.df.callActivity('echo', item.id)
    case 'retry':
      return context.df.callActivityWithRetry('flaky', retryOf(item), { ...item, run: context.df.instanceId })
    case 'child':
      return context.df.callSubOrchestrator('child', item.id)
    case 'timer':
      return context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + item.ms))
  }
}

function* program(context: df.OrchestrationContext): Generator<df.Task, unknown, never> {
  const results: unknown[] = []
  const entity = new df.EntityId('sum', context.df.instanceId)
  for (const item of context.df.getInput<Step[]>() ?? []) {
    try {
      if (item.kind === 'signal') context.df.signalEntity(entity, 'add', item.amount)
      else if (item.kind === 'get') results.push(yield context.df.callEntity(entity, 'get'))
      else if (item.kind === 'all') {
        const values: unknown[] = yield context.df.Task.all(item.leaves.map((part) => taskOf(context, part)))
        results.push(values.map((value, i) => (item.leaves[i]?.kind === 'timer' ? 'slept' : value)))
      } else if (item.kind === 'race') {
        const deadline = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + DAY_MS))
        const work = context.df.callActivity('echo', item.id)
        results.push((yield context.df.Task.any([work, deadline])) === work ? work.result : 'late')
        deadline.cancel()
      } else if (item.kind === 'overtake') {
        // Whoever wins: the other goes on taking numbers while later steps take theirs.
        yield context.df.Task.any([context.df.callActivity('echo', item.id), taskOf(context, item.slow)])
      } else {
        const value: unknown = yield taskOf(context, item)
        // The library gives a long timer's steps as an array, a short timer's nothing.
        results.push(item.kind === 'timer' ? 'slept' : value)
      }
    } catch (error) {
      results.push(error instanceof Error && error.message.includes('flaky') ? 'gave up' : String(error))
    }
  }
  return results
}

/** What the program must come to, computed without any of the machinery. */
function expected(steps: readonly Step[]): unknown[] {
  let sum = 0
  const ofLeaf = (item: Leaf): unknown => {
    if (item.kind === 'timer') return 'slept'
    if (item.kind === 'retry') return item.failures < item.attempts ? `flaky ${item.id}` : undefined
    return `${item.kind === 'child' ? 'child ' : ''}${item.id}`
  }
  return steps.flatMap((item): unknown[] => {
    if (item.kind === 'signal') {
      sum += item.amount
      return []
    }
    if (item.kind === 'get') return [sum]
    if (item.kind === 'overtake') return []
    if (item.kind === 'race') return [String(item.id)]
    if (item.kind !== 'all') return [ofLeaf(item) === undefined ? 'gave up' : ofLeaf(item)]
    const parts = item.leaves.map(ofLeaf)
    return [parts.includes(undefined) ? 'gave up' : parts]
  })
}

const sum = (context: df.EntityContext<number>) => {
  const value = context.df.getState(() => 0) ?? 0
  if (context.df.operationName === 'add') context.df.setState(value + (context.df.getInput<number>() ?? 0))
  else context.df.return(value)
}

/** Some activities take longer than others, so that results come in any order and several to one turn. */
async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

function programFunctions(onEcho: (value: number) => void = () => {}) {
  const attempts = new Map<string, number>()
  return functionsOf({
    orchestrations: {
      program,
      *child(context: df.OrchestrationContext) {
        return `child ${String(yield context.df.callActivity('echo', context.df.getInput()))}`
      },
    },
    activities: {
      echo: async (value: number) => {
        onEcho(value)
        await ticks(value % 4)
        return String(value)
      },
      flaky: async ({
        id,
        failures,
        run,
        attempts: most,
      }: {
        id: number
        failures: number
        run: string
        attempts: number
      }) => {
        await ticks(id % 3)
        const key = `${run} ${id} ${failures} ${most}`
        const attempt = (attempts.get(key) ?? 0) + 1
        attempts.set(key, attempt)
        if (attempt <= failures) throw new Error(`flaky attempt ${attempt}`)
        return `flaky ${id}`
      },
    },
    entities: { sum },
  })
}

/** Leaves of one program differ, or two retries of one name would count each other's attempts. */
const programs = fc.array(step, { minLength: 1, maxLength: PROGRAM_STEPS_MAX }).map((steps) => {
  let next = 0
  const renumber = <T extends Step>(item: T): T =>
    'leaves' in item
      ? { ...item, leaves: item.leaves.map(renumber) }
      : 'slow' in item
        ? { ...item, id: next++, slow: renumber(item.slow) }
        : 'id' in item
          ? { ...item, id: next++ }
          : item
  return steps.map(renumber)
})

describe('any orchestration', () => {
  it('gets every result at the task that asked for it', async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (steps) => {
        const store = createMemoryStore()
        const clock = handHostClock()
        const { hub } = hubOn(store, programFunctions(), clock)
        await hub.start()
        await hub.startInstance('p', { name: 'program', input: JSON.stringify(steps) })
        await runUntil(clock, () => isOver(store, 'p'))

        expect(await outcomeOf(store, 'p')).toEqual({ status: 'Completed', output: expected(steps) })
        await hub.stop()
      }),
      { numRuns: 60 },
    )
  })

  it('comes to the same end when its host dies at any commits on the way, and no activity with a stored result runs again', async () => {
    const crashes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(programs, crashes, async (steps, crashAfter) => {
        const store = createMemoryStore()
        const clock = handHostClock()
        const stored = new Set<string>()
        const repeated: number[] = []
        const functions = programFunctions((value) => {
          if (stored.has(JSON.stringify(String(value)))) repeated.push(value)
        })
        const pauses = [...crashAfter]
        let hub: TaskHub | undefined
        const live = async (): Promise<void> => {
          let commitsLeft = pauses.shift() ?? Infinity
          const life = mortal({
            ...store,
            commit: async (change) => {
              const result = await store.commit(change)
              for (const { message } of change.messages ?? []) noteResult(message, stored)
              // The change is written, and the host never learns of it.
              if (--commitsLeft === 0) die()
              return result
            },
          })
          const die = () => {
            life.crash()
            setImmediate(() => void live())
          }
          hub = hubOn(life.store, functions, clock).hub
          await hub.start()
        }
        await store.commit({ instanceId: 'none' })
        await live()
        await retrying(() => hub?.startInstance('p', { name: 'program', input: JSON.stringify(steps) }), store)
        await runUntil(clock, () => isOver(store, 'p'))

        expect(await outcomeOf(store, 'p')).toEqual({ status: 'Completed', output: expected(steps) })
        expect(repeated).toEqual([])
        await hub?.stop()
      }),
      { numRuns: 60 },
    )
  })
})

function noteResult(message: Message, stored: Set<string>): void {
  if (message.kind === 'task-result' && message.outcome.kind === 'completed') stored.add(message.outcome.result)
}

/** A start that died with its host is asked for again, as a client would; it may also have been written. */
async function retrying(start: () => Promise<unknown> | undefined, store: ReturnType<typeof createMemoryStore>) {
  for (;;) {
    await Promise.race([start(), new Promise((resolve) => setTimeout(resolve, 20))])
    if (await store.get('p')) return
  }
}
