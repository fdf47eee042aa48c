import type { ModelId, OperationId } from '../../src/base/ids'
import { runChecklist } from '../../src/checklists/run-checklist'
import { createRunStep, planOf, type StepAlert, type StepRequest } from '../../src/checklists/run-step'
import { backendOf, copyChecklist, copyIdOf, type CopyDeps } from '../../src/recovery/copy-checklist'
import type { CopyInput } from '../../src/recovery/copy-request'
import type { ModelVersion } from '../../src/registry/model-version'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { handRun } from '../checklists/hand-run'
import { hostingWorld, type HostingWorld } from '../hosting/hosting-world'
import { silentLog } from '../metering/read-all'
import { sharedAccount } from '../provisioning/platform'

/** Where the copy goes; the model is in `swedencentral`. */
const THERE = sharedAccount('two')
const isOfThere = (path: string) => path.toLowerCase().startsWith(`${THERE}/deployments/`.toLowerCase())

let world: HostingWorld
let scope: TenantScope
let model: ModelVersion
let before: unknown
const alerts: StepAlert[] = []
beforeEach(async () => {
  alerts.length = 0
  world = await hostingWorld()
  await world.arm.put(THERE, '2024-10-01', { location: 'Norway East', properties: {} })
  for (let look = 0; look < 3; look++) await world.arm.get(THERE, '2024-10-01')
  ;({ scope } = await world.newTenant())
  model = await world.newModel(scope)
  expect(await world.deployed(scope, model.id)).toEqual({ kind: 'ready' })
  await world.tenants.leadAlias(scope, 'chat', () => [{ members: [{ backendId: backendOf(model.id), weight: 1 }] }])
  before = await everything()
})
afterEach(() => world[Symbol.asyncDispose]())

/** Whatever a copy changes: the registry, aliases, backends, what is hosted, and what is at Azure. */
async function everything() {
  const record = await world.tenants.get(scope)
  const hosted: ModelId[] = []
  for await (const { meter } of world.rows.every()) if (meter.untilMs === undefined) hosted.push(meter.modelId)
  return {
    models: await Array.fromAsync(world.registry.list(scope)),
    aliases: record?.aliases,
    backends: (await world.backends.all()).values().toArray(),
    hosted,
    deployments: world.deploymentIds(),
  }
}

/** As its orchestration walks it, on the world's clock. */
async function copy(operationId: OperationId, deps: Partial<CopyDeps> = {}) {
  const checklist = copyChecklist({ ...world, ...deps })
  const input: CopyInput = {
    modelId: model.id,
    accountIds: [THERE],
    region: 'norwayeast',
    sku: 'Standard',
    capacity: 10,
    lead: 'behind',
  }
  const runStep = createRunStep(checklist, { log: silentLog, alert: async (alert) => void alerts.push(alert) })
  const orchestrations = { purge: async () => {}, running: async () => [], ended: async () => [] }
  const { output } = await handRun(
    (steps) => runChecklist(steps, planOf(checklist), { tenantId: scope.tenantId, input }),
    {
      instanceId: operationId,
      activity: (_, request) => runStep(request as StepRequest, { orchestrations }),
      sleep: (ms) => world.clock.advance(ms),
    },
  )
  return output
}

const stateOf = ({ steps }: Awaited<ReturnType<typeof copy>>) =>
  Object.fromEntries(steps.map(({ id, state }) => [id, state]))

/** The last step never gets to write; all that it would follow is there by then. */
const noNote = (): Partial<CopyDeps> => ({
  registry: {
    ...world.registry,
    change: (where, id, edit) =>
      id === model.id ? Promise.reject(new Error('storage does not answer')) : world.registry.change(where, id, edit),
  },
})

describe('a model’s copy', () => {
  it('is all there when nothing fails, so that there is something to undo', async () => {
    const operationId = world.ids.operationId('cpy')
    expect(stateOf(await copy(operationId))).toEqual({ register: 'done', deploy: 'done', lead: 'done', note: 'done' })
    const now = await everything()
    const id = copyIdOf({ operationId })
    expect(now.models.map((each) => each.id)).toEqual(expect.arrayContaining([model.id, id]))
    expect(now.deployments.filter(isOfThere)).toHaveLength(1)
    expect(now.hosted).toHaveLength(2)
    const chat = now.aliases?.find(({ name }) => name === 'chat')
    expect(chat?.groups.at(-1)?.members).toEqual([{ backendId: backendOf(id), weight: 1 }])
  })

  it('that Azure refuses to deploy leaves nothing, and the model as it was', async () => {
    world.armServer.fault = ({ method, path }) =>
      method === 'PUT' && isOfThere(path)
        ? { status: 400, body: { error: { code: 'InvalidResourceProperties', message: 'no' } } }
        : undefined
    const output = await copy(world.ids.operationId('cpy'))
    expect(output.state).toBe('undone')
    expect(stateOf(output)).toEqual({ register: 'undone', deploy: 'failed', lead: 'pending', note: 'pending' })
    expect(await everything()).toEqual(before)
  })

  it('that fails when it is deployed and led to is taken back whole: aliases, backend, deployment, meter, version', async () => {
    const output = await copy(world.ids.operationId('cpy'), noNote())
    expect(output.state).toBe('undone')
    expect(stateOf(output)).toEqual({ register: 'undone', deploy: 'undone', lead: 'undone', note: 'failed' })
    expect(
      world.armServer.changes.filter((change) => change.startsWith('DELETE') && isOfThere(change.slice(7))),
    ).toHaveLength(1)
    expect(await everything()).toEqual(before)
  })

  it('whose undo breaks off half-way is taken back by the next attempt', async () => {
    let refusals = 0
    world.armServer.fault = ({ method, path }) =>
      method === 'DELETE' && isOfThere(path) && refusals++ < 2
        ? { status: 500, body: { error: { code: 'InternalServerError', message: 'no' } } }
        : undefined
    const output = await copy(world.ids.operationId('cpy'), noNote())
    expect(refusals).toBeGreaterThan(2)
    expect(output.state).toBe('undone')
    expect(await everything()).toEqual(before)
    expect(alerts).toEqual([])
  })

  it('that Azure will not delete is told to operators, kept in the registry, and led to by nobody', async () => {
    const operationId = world.ids.operationId('cpy')
    const id = copyIdOf({ operationId })
    const deployments: CopyDeps['deployments'] = {
      ...world.deployments,
      remove: () => Promise.reject(new Error('the account is locked')),
    }
    const output = await copy(operationId, { ...noNote(), deployments })
    expect(output.state).toBe('failed')
    expect(stateOf(output)).toMatchObject({ lead: 'undone', deploy: 'undo-failed', register: 'undo-failed' })
    expect(alerts.map(({ step }) => step)).toEqual(['deploy', 'register'])
    const chat = (await world.tenants.get(scope))?.aliases.find(({ name }) => name === 'chat')
    expect(chat?.groups).toEqual([{ members: [{ backendId: backendOf(model.id), weight: 1 }] }])
    expect(world.deploymentIds().filter(isOfThere)).toHaveLength(1)
    // Whoever deletes the tenant or the model later has to find it.
    expect(await world.registry.get(scope, id)).toMatchObject({ deployment: { kind: 'deployed' } })
  })
})
