import type { ServedCall } from '../../src/inference/served-call'
import type { DriftTap } from '../../src/drift/drift-tap'
import { daysUntil } from '../../src/drift/drift-records'
import { readWindow } from '../../src/drift/drift-window'
import { totalOf } from '../../src/drift/histogram'
import { eventually } from '../conformance/eventually'
import { watchTraffic } from '../harness/traffic'
import { dataset, driftWorld } from './drift-world'
import { storedTexts } from './stored-texts'

type World = Awaited<ReturnType<typeof driftWorld>>
type Trained = Awaited<ReturnType<World['trained']>>

let world: World
beforeAll(async () => {
  world = await driftWorld()
})

const questions = (n: number) => `Where is order number ${n}, please?`
const watch = { watch: true, callsPerDayMax: 1_000 }

async function watched(settings: object | undefined = watch): Promise<Trained> {
  const fileId = world.addFile('train.jsonl', dataset(120, questions))
  const trained = await world.trained(settings && { ...watch, ...settings }, fileId, 120)
  await world.makeBaseline(trained.scope, trained.modelId, settings && 'topicsAlias' in settings ? 'embed' : undefined)
  return trained
}

async function windowOf({ scope, modelId }: Trained) {
  const baseline = await world.store.baseline(scope, modelId)
  const topics = baseline?.state.kind === 'made' ? baseline.state.topics : undefined
  const topicsId = topics?.kind === 'made' ? topics.map.id : undefined
  const basis = { measure: '1', topicsId }
  return readWindow(world.store, scope, { modelId, nowMs: world.clock.now(), days: 2, basis })
}

/** Until an instance knows the model and has samples to take: the first calls are never waited with. */
const warm = (tap: DriftTap, trained: Trained, call: ServedCall) =>
  eventually('a call is measured', async () => {
    tap.served(call)
    await world.clock.advance(60_000)
    return (await windowOf(trained)).samples > 0 || undefined
  })

/** With the number of calls that it was told of: those that it has counted are no more, since the first ones are not waited with. */
function counting(tap: DriftTap): DriftTap & { told: number } {
  const counted = {
    ...tap,
    told: 0,
    served: (call: ServedCall) => {
      counted.told += 1
      tap.served(call)
    },
  }
  return counted
}

describe('calls to a tuned model', () => {
  it('are measured and counted, and of what they say nothing is kept anywhere', async () => {
    const phrase = 'Zanzibar-Quokka-4711'
    const trained = await watched({ topicsAlias: 'embed' })
    const tap = world.newTap()
    const call = await world.servedCall(trained.scope, trained.backendId, `Where is the ${phrase}, please?`)
    await warm(tap, trained, call)
    for (let n = 0; n < 20; n++) tap.served(call)
    await world.clock.advance(1_000)
    await tap.close()

    const { calls, samples, counts } = await windowOf(trained)
    expect(samples).toBeGreaterThanOrEqual(20)
    expect(calls).toBeGreaterThanOrEqual(samples)
    expect(Object.keys(counts).toSorted()).toEqual(['messages', 'outputTokens', 'promptTokens', 'scripts', 'topics'])
    for (const feature of Object.values(counts)) expect(totalOf(feature ?? {})).toBe(samples)
    expect(counts.scripts).toEqual({ Latn: samples })

    // Neither as it lies in storage nor as it opens with the tenant's key.
    const texts = await storedTexts(world.storage)
    expect(texts.length).toBeGreaterThan(5)
    const opened: string[] = []
    for await (const { id, value } of world.records.values(trained.scope, '')) opened.push(id + JSON.stringify(value))
    expect(opened.some((text) => text.startsWith('driftcounts-'))).toBe(true)
    for (const text of [...texts, ...opened]) {
      expect(text).not.toContain(phrase)
      expect(text).not.toContain(Buffer.from(phrase).toString('base64').slice(2, 20))
    }
  })

  it('of a tenant that has not asked for it are not looked at', async () => {
    const trained = await watched()
    world.settings.delete(trained.scope.tenantId)
    const tap = world.newTap()
    const call = await world.servedCall(trained.scope, trained.backendId, 'Hello?')
    const unread = new Proxy(call.body, {
      get: () => {
        throw new Error('nobody reads it')
      },
    })
    for (let n = 0; n < 50; n++) tap.served({ ...call, body: unread })
    await world.clock.advance(120_000)
    await tap.close()
    expect(await windowOf(trained)).toEqual({ calls: 0, samples: 0, counts: {} })
  })

  it('are counted once, however often what was counted is written, and by each instance for itself', async () => {
    const trained = await watched()
    const taps = [counting(world.newTap()), counting(world.newTap())]
    const call = await world.servedCall(trained.scope, trained.backendId, 'Where is my order?')
    const [today = '0'] = daysUntil(world.clock.now(), 1)
    const parts = () => world.store.dayCounts(trained.scope, trained.modelId, today)
    for (const [before, tap] of taps.entries())
      await eventually('this instance measures too', async () => {
        tap.served(call)
        await world.clock.advance(60_000)
        return (await parts()).filter(({ samples }) => samples > 0).length > before || undefined
      })
    for (let n = 0; n < 10; n++) for (const tap of taps) tap.served(call)
    await world.clock.advance(1_000)
    // Written over and over, with nothing new in between.
    for (let n = 0; n < 3; n++) await world.clock.advance(60_000)
    await Promise.all(taps.map((tap) => tap.close()))
    const written = (await parts()).toSorted((a, b) => a.calls - b.calls)
    const told = taps.map((tap) => tap.told).toSorted((a, b) => a - b)
    expect(written).toHaveLength(2)
    for (const [at, { calls, samples }] of written.entries()) {
      expect(calls).toBeLessThanOrEqual(told[at] ?? 0)
      expect(samples).toBeLessThanOrEqual(calls)
      expect(samples).toBeGreaterThan(10)
    }
    const window = await windowOf(trained)
    expect(window.calls).toBe(written.reduce((sum, { calls }) => sum + calls, 0))
    expect(window.samples).toBe(written.reduce((sum, { samples }) => sum + samples, 0))
  })

  it('that an instance counted since it last wrote are lost with it, and no others', async () => {
    const trained = await watched()
    const [dying, living] = [counting(world.newTap()), world.newTap()]
    const call = await world.servedCall(trained.scope, trained.backendId, 'Where is my order?')
    await warm(dying, trained, call)
    const { told } = dying
    // It is never closed: as after a kill, nobody writes these.
    for (let n = 0; n < 7; n++) dying.served(call)
    living.served(call)
    await living.close()
    const { calls, samples } = await windowOf(trained)
    expect(samples).toBeGreaterThan(0)
    expect(calls).toBeLessThanOrEqual(told)
  })

  it('cost at most so many samples on a day, however many instances there are', async () => {
    const trained = await watched({ callsPerDayMax: 50 })
    const taps = [world.newTap(), world.newTap(), world.newTap()]
    const call = await world.servedCall(trained.scope, trained.backendId, 'Where is my order?')
    const traffic = watchTraffic()
    for (const tap of taps) {
      tap.served(call)
      await traffic.rest()
    }
    for (let minute = 0; minute < 30; minute++) {
      for (const tap of taps) for (let n = 0; n < 20; n++) tap.served(call)
      await world.clock.advance(60_000)
      await traffic.rest()
    }
    traffic.stop()
    await Promise.all(taps.map((tap) => tap.close()))
    const { calls, samples } = await windowOf(trained)
    expect(calls).toBeGreaterThan(500)
    expect(samples).toBeGreaterThan(0)
    expect(samples).toBeLessThanOrEqual(50)
  })

  it('are not disturbed where storage fails, and what was counted is written later', async () => {
    const trained = await watched()
    let isBroken = false
    const { store } = world
    const tap = world.newTap({
      store: {
        ...store,
        putDayCounts: (...args) =>
          isBroken ? Promise.reject(new Error('storage is away')) : store.putDayCounts(...args),
      },
    })
    const call = await world.servedCall(trained.scope, trained.backendId, 'Where is my order?')
    await warm(tap, trained, call)
    isBroken = true
    for (let n = 0; n < 5; n++) tap.served(call)
    await world.clock.advance(120_000)
    const meanwhile = await windowOf(trained)
    isBroken = false
    await tap.close()
    expect((await windowOf(trained)).samples - meanwhile.samples).toBeGreaterThanOrEqual(5)
  })

  it('leave nothing once their tenant has changed its mind', async () => {
    const trained = await watched()
    const tap = counting(world.newTap())
    const call = await world.servedCall(trained.scope, trained.backendId, 'Where is my order?')
    await warm(tap, trained, call)
    const { told } = tap
    for (let n = 0; n < 5; n++) tap.served(call)
    world.settings.set(trained.scope.tenantId, { watch: false })
    await tap.close()
    const { calls, samples } = await windowOf(trained)
    expect(samples).toBeGreaterThan(0)
    expect(calls).toBeLessThanOrEqual(told)
  })

  it('are not embedded any more from the moment on at which their tenant names no alias for it', async () => {
    const trained = await watched({ topicsAlias: 'embed' })
    world.settings.set(trained.scope.tenantId, watch)
    const tap = world.newTap({ embedTexts: () => Promise.reject(new Error('nobody asked for it')) })
    const call = await world.servedCall(trained.scope, trained.backendId, 'Where is my order?')
    await warm(tap, trained, call)
    await tap.close()
    const { samples, counts } = await windowOf(trained)
    expect(totalOf(counts.scripts ?? {})).toBe(samples)
    expect(counts.topics).toBeUndefined()
  })

  it('are measured without topics where embeddings cannot be had, and those are not asked for again at once', async () => {
    const trained = await watched({ topicsAlias: 'embed' })
    let asked = 0
    const tap = world.newTap({
      embedTexts: async () => {
        asked += 1
        return { kind: 'busy' }
      },
    })
    const call = await world.servedCall(trained.scope, trained.backendId, 'Where is my order?')
    await warm(tap, trained, call)
    const askedBefore = asked
    for (let n = 0; n < 3; n++) {
      tap.served(call)
      await world.clock.advance(2_000)
    }
    await tap.close()
    expect(asked - askedBefore).toBeLessThanOrEqual(1)
    const { samples, counts } = await windowOf(trained)
    expect(samples).toBeGreaterThanOrEqual(4)
    expect(counts.topics).toBeUndefined()
  })
})
