import { createRouteStage } from '../../src/registry/route-stage'
import { registryWorld } from './registry-world'

let world: Awaited<ReturnType<typeof registryWorld>>
beforeAll(async () => {
  world = await registryWorld()
})
beforeEach(() => world.say([]))

async function staged(more: { alias?: string; rollBackOn?: { errorRate: number } } = {}) {
  const tenant = await world.newTenant()
  const model = await world.newModel(tenant.scope)
  const stage = createRouteStage(world.promotions)
  const asked = {
    scope: tenant.scope,
    jobId: model.jobId,
    operationId: model.jobId,
    by: { callerId: world.ids.keyId() },
    modelId: model.id,
    wish: { alias: 'chat', steps: [{ percent: 20, minutes: 2 }], ...more },
    startedAt: world.clock.now(),
  }
  const run = async () => {
    for (let look = 0; look < 20; look++) {
      const outcome = await stage.do(asked)
      if (outcome.kind !== 'not-yet') return outcome
      await world.clock.advance(outcome.againAfterMs)
    }
    throw new Error('the stage does not end')
  }
  return { ...tenant, model, stage, asked, run }
}

const only = (backendId: string) => [{ members: [{ backendId, weight: 1 }] }]

describe('the route of a tuning job', () => {
  it('leads all of the alias’s calls to its model in the end, and asked again changes nothing', async () => {
    const { run, scope, model } = await staged()
    expect(await run()).toEqual({ kind: 'done' })
    const { version } = (await world.tenants.get(scope)) ?? {}
    expect(await run()).toEqual({ kind: 'done' })
    expect(await world.groupsOf(scope)).toEqual(only(model.backendId))
    expect((await world.tenants.get(scope))?.version).toBe(version)
  })

  it('is refused with the reason where the alias is not there, or was led back', async () => {
    const missing = await (await staged({ alias: 'other' })).run()
    expect(missing.kind === 'refused' && missing.problem.public).toContain('no alias "other"')
    const { run, model, scope, base } = await staged({ rollBackOn: { errorRate: 0.1 } })
    world.say([{ backendId: model.backendId, calls: 50, failed: 25, latencyMs: 0 }])
    const worse = await run()
    expect(worse.kind === 'refused' && worse.problem.public).toContain('50.0 % failed')
    expect(await world.groupsOf(scope)).toEqual(only(base))
  })

  it('undone leads the alias back, also where it never ran', async () => {
    const { run, stage, asked, scope, base } = await staged()
    expect(await stage.undo?.(asked)).toEqual({ kind: 'done' })
    await run()
    expect(await stage.undo?.(asked)).toEqual({ kind: 'done' })
    expect(await stage.undo?.(asked)).toEqual({ kind: 'done' })
    expect(await world.groupsOf(scope)).toEqual(only(base))
  })
})
