import { createAuditLog } from '../../src/audit/create-audit-log'
import { auditStorage } from '../../src/audit/chain-rows'
import { systemChance } from '../../src/base/chance'
import { createIdMaker } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { runChecklist } from '../../src/checklists/run-checklist'
import { createRunStep, planOf, type StepRequest } from '../../src/checklists/run-step'
import { planMove, moveInput } from '../../src/moving/move-request'
import { movingChecklist } from '../../src/moving/moving-checklist'
import { createDataPlaces } from '../../src/provisioning/data-places'
import { createPlaces, placeStorage } from '../../src/storage/places'
import { platformTable } from '../../src/storage/platform-table'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { handRun } from '../checklists/hand-run'
import { startArm, type ArmServer } from '../provisioning/arm-server'
import { deployment, ensureAll, provisioningPlatform, sharedAccount } from '../provisioning/platform'

const log = { info: () => {}, warn: () => {}, error: () => {} }
const DIRECTORY = 'cccccccc-0000-4000-8000-00000000000c'
const DRAIN_MS = 1_000

let arm: ArmServer
let platform: Awaited<ReturnType<typeof movingPlatform>>
beforeEach(async () => {
  arm = await startArm()
  platform = await movingPlatform()
})
afterEach(async () => {
  await platform[Symbol.asyncDispose]()
  await arm.close()
})

/** Provisioning on real storage with what moves need beside it. */
async function movingPlatform() {
  const provisioning = await provisioningPlatform(arm.url)
  const { storage, clock, accounts } = provisioning
  await storage.ensure(placeStorage)
  await storage.ensure(auditStorage)
  const places = createPlaces({ storage, rows: tenantTable(storage.table('tenantplaces')), clock, log })
  const audit = createAuditLog({
    tenantRows: tenantTable(storage.table('audit')),
    platformRows: platformTable(storage.table('audit')),
    clock,
    chance: systemChance(),
  })
  return { ...provisioning, places, dataPlaces: createDataPlaces(places, accounts), audit, drainMs: DRAIN_MS }
}

const ids = () => createIdMaker({ clock: platform.clock, chance: systemChance() })

/** Moves as the endpoint does, and walks the checklist to its end; `during` is told of each step that begins. */
async function move(scope: TenantScope, request: object, during: (step: string) => Promise<void> = async () => {}) {
  const record = await platform.tenants.get(scope)
  if (!record) throw new Error('the tenant is there')
  const input = await planMove(platform, record, moveInput.parse(request))
  if (input instanceof Problem) return { refused: input, state: undefined, steps: [], facts: {} }
  const checklist = movingChecklist(platform)
  const runStep = createRunStep(checklist, { log, alert: async () => {} })
  const { output } = await handRun(
    (steps) => runChecklist(steps, planOf(checklist), { tenantId: scope.tenantId, input }),
    {
      instanceId: ids().operationId('mov'),
      sleep: async (ms) => platform.clock.advance(ms),
      activity: async (_, request) => {
        await during((request as StepRequest).step)
        return runStep(request as StepRequest, {
          orchestrations: { purge: async () => {}, running: async () => [], ended: async () => [] },
        })
      },
    },
  )
  return { refused: undefined, ...output }
}

const makeAccount = async (name: string, region: string) => {
  await platform.arm.put(sharedAccount(name), '2024-10-01', { location: region, properties: {} })
  for (let look = 0; look < 3; look++) await platform.arm.get(sharedAccount(name), '2024-10-01')
}

/** Two stamps, and a backend that all tenants share. */
async function setUp() {
  await makeAccount('one', 'Sweden Central')
  await makeAccount('two', 'West Europe')
  const first = await platform.makeStamp(['one'])
  const second = await platform.makeStamp(['two'], { name: 'west', region: 'westeurope' })
  const shared = await platform.backends.create(ids().backendId(), {
    name: 'shared',
    api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
    endpoint: `${arm.url}/data/pool`,
    deployment: 'pool',
    credential: { kind: 'identity' },
    region: 'swedencentral',
    capacity: 'payg',
    enabled: true,
  })
  if (first instanceof Problem || second instanceof Problem || shared instanceof Problem) throw new Error('not set up')
  return { first: first.stamp.id, second: second.stamp.id, pool: [{ members: [{ backendId: shared.backend.id }] }] }
}

async function activeTenant(more: object) {
  const tenant = await platform.makeTenant(more)
  await ensureAll(platform, tenant)
  await platform.tenants.transition(tenant.scope, 'begin-validation')
  await platform.tenants.transition(tenant.scope, 'activate')
  return tenant.scope
}

const own = { name: 'chat', deployment }
const madeFor = ({ tenantId }: TenantScope) => arm.ids().filter((id) => id.includes(tenantId.slice('ten_'.length)))

/** Where an alias leads by the record, and whether that backend can be called. */
async function routeOf(scope: TenantScope) {
  const record = await platform.tenants.get(scope)
  const id = record?.aliases[0]?.groups[0]?.members[0]?.backendId
  const backend = (await platform.backends.list()).find(({ backend }) => backend.id === id)?.backend
  return { isolation: record?.isolation.models, region: record?.region, backend }
}

describe('moving a tenant’s models', () => {
  it('goes from shared to deployments of its own, to an account of its own, and back, and leaves nothing behind', async () => {
    const { pool } = await setUp()
    const scope = await activeTenant({ aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: pool }] })
    const isolations = [
      { isolation: 'own-deployment', aliases: [own] },
      { isolation: 'dedicated' },
      { isolation: 'shared', aliases: [{ name: 'chat', groups: pool }] },
    ]
    const left: number[] = []
    for (const models of isolations) {
      expect(await move(scope, { models })).toMatchObject({ state: 'completed' })
      const { isolation, backend } = await routeOf(scope)
      expect(isolation).toBe(models.isolation)
      expect(backend?.ownerTenantId).toBe(models.isolation === 'shared' ? undefined : scope.tenantId)
      left.push(madeFor(scope).length)
    }
    // A deployment; an account, its role and a deployment; nothing.
    expect(left).toEqual([1, 3, 0])
    expect(await platform.models.census(scope)).toBe(0)
  })

  it('leads every call to a backend that is there, at every moment of the move', async () => {
    const { pool } = await setUp()
    const scope = await activeTenant({ aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: pool }] })
    await move(scope, { models: { isolation: 'own-deployment', aliases: [own] } })
    const before = (await routeOf(scope)).backend
    const seen: string[] = []
    const output = await move(scope, { models: { isolation: 'dedicated' } }, async (step) => {
      const { backend } = await routeOf(scope)
      const account = backend?.endpoint.split('/').at(-1) ?? ''
      const id = `/accounts/${account}/deployments/${backend?.deployment}`.toLowerCase()
      seen.push(`${step} ${arm.ids().some((each) => each.endsWith(id)) ? 'served' : 'not served'}`)
      // A call that began before the switch is served by what was there, until the last of them is over.
      if (['switch-models', 'catch-up', 'record', 'drain'].includes(step))
        expect(arm.ids().some((each) => each.endsWith(`/deployments/${before?.deployment}`.toLowerCase()))).toBe(true)
    })
    expect(output.state).toBe('completed')
    expect(seen.filter((each) => each.endsWith('not served'))).toEqual([])
    expect(seen.map((each) => each.split(' ')[0])).toContain('remove-old-models')
  })

  it('to another stamp takes along what was made on the first', async () => {
    const { second } = await setUp()
    const scope = await activeTenant({
      isolation: { models: 'own-deployment' },
      aliases: [{ name: 'chat', model: 'gpt-4.1-mini', deployment }],
    })
    expect(await move(scope, { stampId: second })).toMatchObject({ state: 'completed' })
    const { backend, region } = await routeOf(scope)
    expect(backend?.endpoint).toBe(`${arm.url}/data/two`)
    expect(region).toBe('westeurope')
    expect(madeFor(scope).every((id) => id.includes('/accounts/two/'))).toBe(true)
    // What is made later is made there too.
    expect(await move(scope, { models: { isolation: 'dedicated' } })).toMatchObject({ state: 'completed' })
    expect((await routeOf(scope)).backend?.region).toBe('westeurope')
  })

  it('that fails leaves the tenant as it was, and nothing behind', async () => {
    const { pool } = await setUp()
    const scope = await activeTenant({ aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: pool }] })
    const before = await platform.tenants.get(scope)
    arm.inference = () => ({ status: 400, body: { error: { code: 'OperationNotSupported', message: 'no chat' } } })
    const output = await move(scope, { models: { isolation: 'dedicated', aliases: [own] } })
    expect(output).toMatchObject({ state: 'undone' })
    expect(output.steps.find(({ id }) => id === 'make-models')).toMatchObject({
      state: 'failed',
      error: { code: 'provisioning_refused' },
    })
    expect(await platform.tenants.get(scope)).toEqual(before)
    expect(madeFor(scope)).toEqual([])
    arm.inference = () => ({ status: 200, body: { model: 'gpt-4.1-mini-2025-04-14' } })
    expect(await move(scope, { models: { isolation: 'dedicated', aliases: [own] } })).toMatchObject({
      state: 'completed',
    })
  })

  it('into an account of the tenant’s own tries it, uses its key, and forgets the key when it leaves', async () => {
    const { pool } = await setUp()
    await platform.arm.put(`${sharedAccount('theirs')}/deployments/gpt`, '2024-10-01', { properties: {} })
    const scope = await activeTenant({ aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: pool }] })
    await platform.secrets.put(scope, 'account-key', 'the-key')
    const ownAccount = {
      endpoint: `${arm.url}/data/theirs`,
      directoryId: DIRECTORY,
      deployments: { chat: 'gpt' },
      credential: { kind: 'tenant-secret', name: 'account-key' },
    }
    const theirs = { models: { isolation: 'tenant-owned', ownAccount } }
    expect(await move(scope, theirs)).toMatchObject({ state: 'completed' })
    expect((await routeOf(scope)).backend).toMatchObject({ endpoint: ownAccount.endpoint, deployment: 'gpt' })
    const back = { models: { isolation: 'shared', aliases: [{ name: 'chat', groups: pool }] } }
    expect(await move(scope, back)).toMatchObject({ state: 'completed' })
    expect(await platform.secrets.list(scope)).toEqual([])
    expect((await platform.tenants.get(scope))?.ownAccount).toBeUndefined()
  })

  it('goes no further where an alias came that it was not asked to move', async () => {
    const { pool } = await setUp()
    const chat = {
      name: 'chat',
      model: 'gpt-4.1-mini',
      groups: pool.map(({ members }) => ({ members: members.map((one) => ({ ...one, weight: 1 })) })),
    }
    const scope = await activeTenant({ aliases: [chat] })
    const output = await move(scope, { models: { isolation: 'own-deployment', aliases: [own] } }, async (step) => {
      if (step === 'switch-models')
        await platform.tenants.patch(scope, { aliases: [chat, { ...chat, name: 'later' }] }, () => true)
    })
    expect(output).toMatchObject({ state: 'undone' })
    expect((await platform.tenants.get(scope))?.isolation.models).toBe('shared')
    expect(madeFor(scope)).toEqual([])
  })
})

describe('a move is refused before anything begins, and the field is named, where', () => {
  it.each<[string, (scene: Awaited<ReturnType<typeof setUp>>) => object, string]>([
    ['an alias has no deployment to be made', () => ({ models: { isolation: 'dedicated' } }), 'models.aliases'],
    ['an alias has no backends to share', () => ({ models: { isolation: 'shared' } }), 'models.aliases'],
    [
      'an alias does not exist',
      ({ pool }) => ({
        models: {
          isolation: 'shared',
          aliases: [
            { name: 'chat', groups: pool },
            { name: 'other', groups: pool },
          ],
        },
      }),
      'models.aliases.1.name',
    ],
    [
      'a shared backend does not exist',
      () => ({
        models: {
          isolation: 'shared',
          aliases: [{ name: 'chat', groups: [{ members: [{ backendId: ids().backendId() }] }] }],
        },
      }),
      'models.aliases.0.groups.0.members.0.backendId',
    ],
    ['an account of its own is not described', () => ({ models: { isolation: 'tenant-owned' } }), 'models.ownAccount'],
    ['there is no such stamp', () => ({ stampId: ids().stampId() }), 'stampId'],
    ['nothing of the tenant is on a stamp', ({ second }) => ({ stampId: second }), 'stampId'],
  ])('%s', async (_, request, path) => {
    const scene = await setUp()
    const scope = await activeTenant({ aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: scene.pool }] })
    const { refused } = await move(scope, request(scene))
    expect(refused).toMatchObject({ code: 'invalid_request', param: path })
    expect(refused?.errors?.map((error) => error.path)).toContain(path)
  })

  it('nothing is asked for', () => {
    expect(moveInput.safeParse({}).success).toBe(false)
  })

  it('the tenant is not in use', async () => {
    await setUp()
    const { scope } = await platform.makeTenant({})
    expect((await move(scope, { data: 'container' })).refused).toMatchObject({ code: 'conflict' })
  })
})
