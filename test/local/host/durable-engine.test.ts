import * as df from 'durable-functions'
import type { Commit, HubStore } from '../../../local/host/durable/hub-store'
import { createMemoryStore } from '../../../local/host/durable/memory-store'
import { functionsOf, handHostClock, hubOn, isOver, mortal, outcomeOf, runUntil } from './durable-harness'

type Context = df.OrchestrationContext

const DAY_MS = 24 * 3_600_000
const counterId = new df.EntityId('counter', 'k')
let activityRuns: string[] = []
beforeEach(() => {
  activityRuns = []
})

const functions = functionsOf({
  orchestrations: {
    *parent(context: Context) {
      return yield context.df.callSubOrchestrator('child', 'x', 'the-child')
    },
    *child(context: Context) {
      return yield context.df.callActivity('say', context.df.getInput())
    },
    *counts(context: Context) {
      context.df.signalEntity(counterId, 'add', 2)
      context.df.signalEntity(counterId, 'add', 3)
      return yield context.df.callEntity(counterId, 'get')
    },
    *waits(context: Context) {
      const first = yield context.df.waitForExternalEvent('go')
      return [first, yield context.df.callActivity('say', 'after')]
    },
    *sleeps(context: Context) {
      yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 20 * DAY_MS))
      return yield context.df.callActivity('say', 'awake')
    },
    *collects(context: Context) {
      const { count } = context.df.getInput<{ count: number }>() ?? { count: 0 }
      const seen: unknown[] = []
      while (seen.length < count) seen.push(yield context.df.waitForExternalEvent('n'))
      return seen
    },
    *combinesTwice(context: Context) {
      const never = context.df.waitForExternalEvent('never')
      const said = context.df.callActivity('say', 'a')
      yield context.df.Task.any([said, never])
      yield context.df.Task.any([said, never])
    },
    *boundsRetriesByTime(context: Context) {
      const options = new df.RetryOptions(10, 3)
      ;(options as { retryTimeoutInMilliseconds?: number }).retryTimeoutInMilliseconds = 1_000
      yield context.df.callActivityWithRetry('say', options, 'a')
    },
    *throwsText(context: Context) {
      yield context.df.callActivity('say', 'a')
      // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error -- what the test is about
      throw 'only text'
    },
    *callsUnknown(context: Context) {
      return yield context.df.callSubOrchestrator('nobody')
    },
  },
  activities: {
    say: (text: string) => {
      activityRuns.push(text)
      return `said ${text}`
    },
  },
  entities: {
    counter: (context: df.EntityContext<number>) => {
      const value = context.df.getState(() => 0) ?? 0
      if (context.df.operationName === 'add') context.df.setState(value + (context.df.getInput<number>() ?? 0))
      else context.df.return(value)
    },
  },
})

const start = (name: string, input: unknown = null) => ({ name, input: JSON.stringify(input) })
const turns = async (count = 20) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}
const eventOf = (name: string, value: unknown) => (record: { lifeId: string }) => ({
  kind: 'event' as const,
  lifeId: record.lifeId,
  name,
  input: JSON.stringify(value),
})

/** A store in which certain commits do not return: the host dies while they are under way, unwritten. */
function dyingAt(store: HubStore, isFatal: (change: Commit) => boolean) {
  const life = mortal(store)
  const commit = (change: Commit) => {
    if (!isFatal(change)) return life.store.commit(change)
    life.crash()
    return new Promise<never>(() => {})
  }
  return { ...life.store, commit }
}

describe('after a restart', () => {
  it("a child's answer that was still to be delivered reaches its parent, though the child is loaded first", async () => {
    const store = createMemoryStore()
    const clock = handHostClock()
    const toParent = ({ instanceId, messages }: Commit) => instanceId === 'p' && (messages?.length ?? 0) > 0
    const first = hubOn(dyingAt(store, toParent), functions, clock).hub
    await first.start()
    await first.startInstance('p', start('parent'))
    await turns()
    expect((await outcomeOf(store, 'the-child')).status).toBe('Completed')
    expect((await outcomeOf(store, 'p')).status).toBe('Running')

    const childFirst: HubStore = {
      ...store,
      openIds: async () =>
        (await store.openIds()).sort((a, b) => Number(b === 'the-child') - Number(a === 'the-child')),
      partition: async (instanceId) => {
        if (instanceId === 'p') await turns(5)
        return store.partition(instanceId)
      },
    }
    const second = hubOn(childFirst, functions, clock).hub
    await second.start()
    await runUntil(clock, () => isOver(store, 'p'))
    expect(await outcomeOf(store, 'p')).toEqual({ status: 'Completed', output: 'said x' })
    expect(activityRuns).toEqual(['x'])
  })

  it('an operation that was delivered but not crossed off is not applied a second time', async () => {
    const store = createMemoryStore()
    const clock = handHostClock()
    const crossingOff = ({ instanceId, remove }: Commit) => instanceId === 'c' && remove?.[0]?.startsWith('x') === true
    const first = hubOn(dyingAt(store, crossingOff), functions, clock).hub
    await first.start()
    await first.startInstance('c', start('counts'))
    await turns()

    await hubOn(store, functions, clock).hub.start()
    await runUntil(clock, () => isOver(store, 'c'))
    expect(await outcomeOf(store, 'c')).toEqual({ status: 'Completed', output: 5 })
    expect((await store.get('@counter@k'))?.record.entity?.state).toBe('5')
  })

  it('an instance whose rows are broken is left out, and the others go on', async () => {
    const store = createMemoryStore()
    const clock = handHostClock()
    const first = hubOn(store, functions, clock).hub
    await first.start()
    await first.startInstance('good', start('waits'))
    await first.startInstance('bad', start('waits'))
    await turns()
    await first.stop()
    const broken: HubStore = {
      ...store,
      partition: (instanceId) =>
        instanceId === 'bad' ? Promise.reject(new Error('broken row')) : store.partition(instanceId),
    }
    const { hub, lines } = hubOn(broken, functions, clock)
    await hub.start()
    await hub.post('good', eventOf('go', 1))
    await runUntil(clock, () => isOver(store, 'good'))

    expect(await outcomeOf(store, 'good')).toEqual({ status: 'Completed', output: [1, 'said after'] })
    expect(lines.some(({ level, message }) => level === 'error' && message.includes('bad'))).toBe(true)
  })

  it('an orchestration whose code is missing waits for it, and goes on when it is back', async () => {
    const store = createMemoryStore()
    const clock = handHostClock()
    const first = hubOn(store, functions, clock).hub
    await first.start()
    await first.startInstance('w', start('waits'))
    await turns()
    await first.stop()
    const without = hubOn(store, functionsOf({}), clock).hub
    await without.start()
    await without.post('w', eventOf('go', 1))
    await turns()
    expect((await outcomeOf(store, 'w')).status).toBe('Running')
    await without.stop()

    await hubOn(store, functions, clock).hub.start()
    await runUntil(clock, () => isOver(store, 'w'))
    expect((await outcomeOf(store, 'w')).output).toEqual([1, 'said after'])
  })
})

describe('a new entity', () => {
  it('that gets its first messages at once is never loaded twice side by side, and takes them in order', async () => {
    const store = createMemoryStore()
    const clock = handHostClock()
    let loading = 0
    let loadingAtOnceMax = 0
    const slow: HubStore = {
      ...store,
      partition: async (instanceId) => {
        if (instanceId !== '@counter@k') return store.partition(instanceId)
        loadingAtOnceMax = Math.max(loadingAtOnceMax, ++loading)
        await turns(3)
        loading--
        return store.partition(instanceId)
      },
    }
    const { hub } = hubOn(slow, functions, clock)
    await hub.start()
    const signal = () =>
      hub.post('@counter@k', () => ({
        kind: 'operation',
        name: 'add',
        input: '10',
        replyTo: undefined,
        sender: undefined,
      }))
    await Promise.all([hub.startInstance('c', start('counts')), signal(), signal()])
    await runUntil(clock, () => isOver(store, 'c'))

    expect((await store.get('@counter@k'))?.record.entity?.state).toBe('25')
    expect([5, 15, 25]).toContain((await outcomeOf(store, 'c')).output)
    expect(loadingAtOnceMax).toBe(1)
  })
})

describe('a commit', () => {
  it('that another host has overtaken is lost whole, and the instance is taken from the storage again', async () => {
    const store = createMemoryStore()
    const clock = handHostClock()
    const older = hubOn(store, functions, clock)
    await older.hub.start()
    await older.hub.startInstance('w', start('waits'))
    await turns()
    const younger = hubOn(store, functions, clock)
    await younger.hub.start()
    await younger.hub.post('w', eventOf('go', 'younger'))
    await turns()
    await older.hub.post('w', eventOf('go', 'older'))
    await runUntil(clock, () => isOver(store, 'w'))

    expect((await outcomeOf(store, 'w')).output).toEqual(['younger', 'said after'])
  })

  it('whose fate is not known is not repeated from memory', async () => {
    const store = createMemoryStore()
    const clock = handHostClock()
    let commits = 0
    const unsure: HubStore = {
      ...store,
      commit: async (change) => {
        const result = await store.commit(change)
        if (++commits % 3 === 0) throw new Error('the connection broke after the write')
        return result
      },
    }
    const { hub } = hubOn(unsure, functions, clock)
    await hub.start()
    await hub.startInstance('p', start('parent')).catch(() => {})
    await runUntil(clock, () => isOver(store, 'p'))

    expect(await outcomeOf(store, 'p')).toEqual({ status: 'Completed', output: 'said x' })
    expect(activityRuns).toEqual(['x'])
  })
})

describe('time', () => {
  it('of a timer beyond the short maximum is slept in steps, to the millisecond', async () => {
    const store = createMemoryStore()
    const clock = handHostClock()
    const { hub } = hubOn(store, functions, clock)
    await hub.start()
    const startMs = clock.now()
    await hub.startInstance('s', start('sleeps'))
    await runUntil(clock, () => isOver(store, 's'))

    expect(await outcomeOf(store, 's')).toEqual({ status: 'Completed', output: 'said awake' })
    expect(clock.now() - startMs).toBe(20 * DAY_MS)
    const fired = ((await store.partition('s'))?.turns ?? []).flatMap(({ events }) =>
      events.filter(({ kind }) => kind === 'timer-fired'),
    )
    expect(fired).toHaveLength(6)
  })

  it('with more events waiting than a turn takes loses none and keeps their order', async () => {
    const store = createMemoryStore()
    const clock = handHostClock()
    const { hub } = hubOn(store, functions, clock)
    await hub.start()
    await hub.startInstance('c', start('collects', { count: 250 }))
    const numbers = Array.from({ length: 250 }, (_, i) => i)
    await Promise.all(numbers.map((n) => hub.post('c', eventOf('n', n))))
    await runUntil(clock, () => isOver(store, 'c'))

    expect((await outcomeOf(store, 'c')).output).toEqual(numbers)
  })
})

describe('an orchestration fails with a clear message', () => {
  const failureOf = async (name: string) => {
    const store = createMemoryStore()
    const clock = handHostClock()
    const { hub } = hubOn(store, functions, clock)
    await hub.start()
    await hub.startInstance('f', start(name))
    await runUntil(clock, () => isOver(store, 'f'))
    const { status, output } = await outcomeOf(store, 'f')
    expect(status).toBe('Failed')
    return String(output)
  }

  it('when it combines a task that was scheduled before', async () => {
    expect(await failureOf('combinesTwice')).toContain('Task.any or Task.all again')
  })

  it('when it bounds retries by time, which would hang', async () => {
    expect(await failureOf('boundsRetriesByTime')).toContain('retryTimeoutInMilliseconds')
  })

  it('when it throws something without a message', async () => {
    expect(await failureOf('throwsText')).toContain('without a message')
  })

  it('when it calls an orchestration that the app does not have', async () => {
    expect(await failureOf('callsUnknown')).toContain("'nobody'")
  })
})
