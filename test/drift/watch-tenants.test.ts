import { createWatchTenants } from '../../src/drift/watch-tenants'
import { dayOf, type DayCounts } from '../../src/drift/drift-records'
import { counted } from '../../src/drift/histogram'
import type { FeatureCounts } from '../../src/drift/feature'
import { measureRequest } from '../../src/drift/measure-request'
import { dataset, driftWorld } from './drift-world'

type World = Awaited<ReturnType<typeof driftWorld>>
type Trained = Awaited<ReturnType<World['trained']>>

let world: World
let watch: () => Promise<number>
beforeEach(async () => {
  world = await driftWorld()
  watch = createWatchTenants(world.deps)
})

const trained = async (): Promise<Trained> => {
  const fileId = world.addFile(
    'support-1.jsonl',
    dataset(150, (n) => `Where is order number ${n}?`),
  )
  return world.trained({ watch: true, windowDays: 2 }, fileId, 150)
}

/** As an instance writes it. */
async function asked({ scope, modelId }: Trained, text: string, samples = 400) {
  let counts: FeatureCounts = {}
  for (let n = 0; n < samples; n++) {
    const promptTokens = 7 + Math.ceil(text.length / 4)
    counts = counted(counts, measureRequest({ text, messages: 1, promptTokens, outputTokens: undefined }, undefined))
  }
  const written: DayCounts = { instanceId: world.ids.instanceId(), measure: '1', calls: samples, samples, counts }
  await world.store.putDayCounts(scope, modelId, dayOf(world.clock.now()), written)
}

const alertOf = async ({ modelId }: Trained) => {
  const alerts = await world.alerts.page({ after: undefined, limit: 100 })
  return alerts.find(({ id }) => id === `drift/${modelId}`)
}

describe('watching models', () => {
  it('makes their baseline once, and raises nothing while they are asked what they were trained on', async () => {
    const model = await trained()
    expect(await watch()).toBe(1)
    const made = await world.store.baseline(model.scope, model.modelId)
    expect(made?.state.kind).toBe('made')
    await asked(model, 'Where is order number 50?')
    await world.clock.advance(3_600_000)
    await watch()
    expect(await world.store.baseline(model.scope, model.modelId)).toEqual(made)
    expect((await world.store.state(model.scope, model.modelId)).verdict).toEqual({ kind: 'steady' })
    expect(await alertOf(model)).toBeUndefined()
  })

  it('raises one alert and one proposal when they have drifted, and takes both back when that is over', async () => {
    const model = await trained()
    await watch()
    await asked(model, 'Где мой заказ номер 7?')
    await watch()
    const { verdict, retraining } = await world.store.state(model.scope, model.modelId)
    expect(verdict).toMatchObject({ kind: 'drifted', features: ['scripts'] })
    expect(retraining).toMatchObject({ kind: 'proposed', why: 'policy' })
    expect(await alertOf(model)).toMatchObject({ state: 'open', tenantId: model.scope.tenantId, audience: 'tenant' })
    await watch()
    expect((await world.store.state(model.scope, model.modelId)).retraining).toEqual(retraining)
    // Two days later the window has what they are asked then.
    await world.clock.advance(2 * 86_400_000)
    await asked(model, 'Where is order number 50?')
    await watch()
    const after = await world.store.state(model.scope, model.modelId)
    expect(after.verdict).toEqual({ kind: 'steady' })
    expect(after.retraining).toEqual({ kind: 'none' })
    expect((await alertOf(model))?.state).toBe('resolved')
  })

  it('makes one baseline where several look at a model for the first time at once', async () => {
    const model = await trained()
    await Promise.all([watch(), watch(), watch()])
    const made = await world.store.baseline(model.scope, model.modelId)
    const stale = { known: undefined, baseline: { ...made, madeBy: 'another', madeAt: 1 } as NonNullable<typeof made> }
    expect(await world.store.putBaseline(model.scope, model.modelId, stale)).toEqual(made)
  })

  it('forgets counts that no window reaches', async () => {
    const model = await trained()
    await watch()
    await asked(model, 'Where is order number 50?')
    const day = dayOf(world.clock.now())
    await world.clock.advance(29 * 86_400_000)
    await watch()
    expect(await world.store.dayCounts(model.scope, model.modelId, day)).toHaveLength(1)
    await world.clock.advance(2 * 86_400_000)
    await watch()
    expect(await world.store.dayCounts(model.scope, model.modelId, day)).toEqual([])
  })

  it('keeps nothing of a tenant that has switched it off, nor of a model that is gone', async () => {
    const [off, gone] = [await trained(), await trained()]
    await watch()
    for (const model of [off, gone]) await asked(model, 'Где мой заказ номер 7?')
    await watch()
    expect((await alertOf(gone))?.state).toBe('open')
    world.settings.set(off.scope.tenantId, { watch: false })
    await world.registry.remove(gone.scope, gone.modelId)
    await watch()
    for (const model of [off, gone]) {
      expect(await world.store.models(model.scope)).toEqual(new Set())
      expect((await alertOf(model))?.state).toBe('resolved')
    }
  })

  it('of one tenant is not stopped by what is broken at another', async () => {
    const [broken, sound] = [await trained(), await trained()]
    const failing = createWatchTenants({
      ...world.deps,
      registry: {
        list: (scope, after) => {
          if (scope.tenantId === broken.scope.tenantId) throw new Error('its storage is away')
          return world.registry.list(scope, after)
        },
      },
    })
    expect(await failing()).toBe(1)
    expect((await world.store.baseline(sound.scope, sound.modelId))?.state.kind).toBe('made')
  })
})
