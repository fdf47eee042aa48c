import { Problem } from '../../src/base/problem'
import { runChecklist } from '../../src/checklists/run-checklist'
import { createRunStep, planOf, type StepRequest } from '../../src/checklists/run-step'
import { promoteModel } from '../../src/registry/promote-model'
import { promotionChecklist, promotionName } from '../../src/registry/promotion-checklist'
import type { PromotionInput } from '../../src/registry/promotion-input'
import { handRun } from '../checklists/hand-run'
import { silentLog } from '../metering/read-all'
import { registryWorld } from './registry-world'

const MINUTE_MS = 60_000

let world: Awaited<ReturnType<typeof registryWorld>>
beforeAll(async () => {
  world = await registryWorld()
})
beforeEach(() => world.say([]))

/** Promotes as a request does, and walks the durable part by hand; `dies` makes the activity's answer get lost, once each time. */
async function promoted(input: PromotionInput, { dies = false } = {}) {
  const tenant = await world.newTenant()
  const model = await world.newModel(tenant.scope)
  const operationId = world.ids.operationId('prm')
  const started: { name: string; id: string; input: unknown }[] = []
  const begun = await promoteModel(
    {
      promotions: world.promotions,
      orchestrations: { start: async (name, id, given) => void started.push({ name, id, input: given }) },
    },
    tenant.scope,
    { modelId: model.id, input, operationId, by: 'key_1' },
  )
  if (begun instanceof Problem) throw new Error(begun.public)
  const checklist = promotionChecklist(world.promotions)
  const runStep = createRunStep(checklist, { log: silentLog, alert: async () => {} })
  const host = { orchestrations: { purge: async () => {}, running: async () => [], ended: async () => [] } }
  const run = () =>
    handRun(
      (steps) => runChecklist(steps, planOf(checklist), { tenantId: tenant.scope.tenantId, input: { alias: 'chat' } }),
      {
        instanceId: operationId,
        sleep: (ms) => world.clock.advance(ms),
        activity: async (_, request) => {
          // A host that died after the work was done runs the activity again.
          if (dies) await runStep(request as StepRequest, host)
          return runStep(request as StepRequest, host)
        },
      },
    )
  return { ...tenant, model, operationId, started, begun, run }
}

const shares = [
  { percent: 10, forMinutes: 5 },
  { percent: 50, forMinutes: 10 },
]

describe('a promotion that somebody asks for', () => {
  it('of all calls at once is over when the request is answered, and begins nothing durable', async () => {
    const { started, begun, scope, model } = await promoted({ alias: 'chat' })
    expect(begun.stage.kind).toBe('led')
    expect(started).toEqual([])
    expect(await world.groupsOf(scope)).toEqual([{ members: [{ backendId: model.backendId, weight: 1 }] }])
  })

  it.each([{ dies: false }, { dies: true }])(
    'by rising shares ends with all calls after their time (%j)',
    async (how) => {
      const { started, run, operationId, scope, model } = await promoted({ alias: 'chat', percentages: shares }, how)
      expect(started).toEqual([
        { name: promotionName, id: operationId, input: { tenantId: scope.tenantId, input: { alias: 'chat' } } },
      ])
      const { output, elapsedMs } = await run()
      expect(output.state).toBe('completed')
      expect(elapsedMs).toBeGreaterThanOrEqual(15 * MINUTE_MS)
      expect(await world.groupsOf(scope)).toEqual([{ members: [{ backendId: model.backendId, weight: 1 }] }])
    },
  )

  it('that turns out worse ends as failed with the figures, and the alias as it was', async () => {
    const input = { alias: 'chat', percentages: shares, rollBackOn: { errorRate: 0.1 } }
    const { run, scope, model, base } = await promoted(input)
    world.say([{ backendId: model.backendId, calls: 50, failed: 25, latencyMs: 0 }])
    const { output } = await run()
    expect(output).toMatchObject({ state: 'failed', steps: [{ error: { detail: expect.stringContaining('failed') } }] })
    expect(await world.groupsOf(scope)).toEqual([{ members: [{ backendId: base, weight: 1 }] }])
  })
})
