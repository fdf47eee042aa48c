import { makeStamp, resourcesOf } from '../harness/azure-resources'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { eventually } from '../conformance/eventually'
import { modelOf, passDaysUpstream, runTimer, type ShownModel } from './stack-model'

const TEST_MS_MAX = 300_000
const AWAKE_MS_MAX = 240_000

let stack: TestStack
let own: ReturnType<typeof modelOf>
let tenant: TestTenant
let model: ShownModel
beforeAll(async () => {
  stack = await startTestStack({
    TENANTRY_TUNING_POLL_SECONDS: '1',
    TENANTRY_OFFBOARDING_GRACE_SECONDS: '0',
    TENANTRY_MOVING_DRAIN_SECONDS: '1',
  })
  await makeStamp(stack)
  await stack.configureSimulator({ fineTuning: { speed: 6_000, jobsMax: 200 } })
  tenant = await stack.makeTenant()
  own = modelOf(stack, tenant)
  model = await own.train()
})
afterAll(() => stack.stop())

/** Azure takes the tenant's model down, and our timer notices. */
async function fallAsleep(): Promise<void> {
  await passDaysUpstream(stack)
  // What it cannot do at once it does the next time.
  await eventually('the model is asleep', async () => {
    await runTimer(stack)
    return (await own.only()).deployment.state === 'asleep' ? true : undefined
  })
}

/** Calls until it answers; what the others were told. */
async function callUntilAwake({ call }: ReturnType<typeof modelOf>, name: string) {
  const told: { status: number; code: string; retryAfter: string | null; message: string }[] = []
  const answer = await eventually(
    `${name} answers`,
    async () => {
      const response = await call(name)
      if (response.status === 200) return response
      const { error } = (await response.json()) as { error: { code: string; message: string } }
      told.push({ status: response.status, retryAfter: response.headers.get('retry-after'), ...error })
      return undefined
    },
    AWAKE_MS_MAX,
  )
  return { answer, told }
}

describe('a tuned model that Azure has taken down', () => {
  it(
    'is woken by the first call, which is told the wait; and once, by calls of all instances',
    async () => {
      await fallAsleep()
      expect(await own.deployments()).toEqual([])
      expect((await own.only()).history.at(-1)).toMatchObject({
        event: 'asleep',
        detail: 'Azure has taken the deployment down.',
      })
      const instance = await stack.startInstance()
      const other = modelOf({ ...stack, baseUrl: instance.baseUrl }, tenant)
      const both = await Promise.all([callUntilAwake(own, model.name), callUntilAwake(other, model.name)])
      await instance.stop()
      for (const { told } of both) {
        expect(told.length).toBeGreaterThan(0)
        for (const { status, code, retryAfter, message } of told) {
          expect([status, code]).toEqual([503, 'model_asleep'])
          expect(Number(retryAfter)).toBeGreaterThan(0)
          expect(message).toContain(model.name)
        }
      }
      expect(await own.deployments()).toHaveLength(1)
      expect((await own.only()).history.filter(({ event }) => event === 'woken')).toHaveLength(1)
    },
    TEST_MS_MAX,
  )

  it(
    'lets the base answer meanwhile where its tenant wants that, metered as the base, and says which model did',
    async () => {
      await fallAsleep()
      const standIns = (whileAsleep: readonly object[]) =>
        own.ask('PATCH', '', { settings: { tunedModels: { whileAsleep } } })
      expect((await standIns([{ alias: model.name, answeredBy: 'chat' }])).status).toBe(200)
      const answer = await own.call(model.name)
      expect([answer.status, answer.headers.get('x-tenantry-model')]).toEqual([200, 'chat'])
      expect(answer.headers.get('x-tenantry-fallback')).toBe('true')
      expect(((await answer.json()) as { model: string }).model).not.toContain('.ft-')
      const tuned = await eventually('the tuned model answers', async () => {
        const response = await own.call(model.name)
        return response.headers.get('x-tenantry-fallback') === null ? response : undefined
      })
      expect(tuned.status).toBe(200)
      expect((await standIns([])).status).toBe(200)
    },
    TEST_MS_MAX,
  )
})

describe('a tuned model', () => {
  it(
    'is undeployed and deployed by its tenant, leaves nothing behind at Azure, and its hours are in the usage',
    async () => {
      const { id, name } = model
      expect((await own.ask('POST', `/models/${id}/promote`, { alias: 'chat' })).status).toBe(202)
      const refused = await own.ask<{ detail: string }>('POST', `/models/${id}/undeploy`)
      expect(refused).toMatchObject({
        status: 409,
        body: { code: 'conflict', detail: expect.stringContaining('"chat"') },
      })
      expect((await own.ask('POST', `/models/${id}/rollback`)).status).toBe(200)

      const before = (await own.hosted())?.costMicroUsd ?? 0
      await undeployed()
      expect(await own.deployments()).toEqual([])
      expect((await own.call(name)).status).toBe(404)
      expect((await own.only()).deployment).toEqual({ state: 'none' })
      expect((await own.hosted())?.costMicroUsd).toBeGreaterThan(before)
      expect(await own.ask('POST', `/models/${id}/undeploy`)).toMatchObject({ status: 409 })

      const wish = { sku: 'GlobalStandard', capacity: 20 }
      const operationId = await deployed(wish)
      expect((await own.only()).deployment).toMatchObject({ state: 'deployed', ...wish })
      expect((await own.call(name)).status).toBe(200)
      expect(await own.ask('POST', `/models/${id}/deploy`, wish)).toMatchObject({ status: 409 })

      const foreign = modelOf(stack, await stack.makeTenant())
      const { status: ofUnknown } = await foreign.ask('GET', `/operations/hos_${'0'.repeat(26)}`)
      expect((await foreign.ask('GET', `/operations/${operationId}`)).status).toBe(ofUnknown)
      expect((await foreign.call(name)).status).toBe(404)
    },
    TEST_MS_MAX,
  )

  it(
    'is deployed in the account that is its tenant’s alone, where it has one, and goes with it',
    async () => {
      const alone = await stack.platform.onboard({
        displayName: 'Alone',
        contact: { email: 'a@b.example' },
        region: 'swedencentral',
        tier: 'premium',
        isolation: { models: 'dedicated', data: 'logical' },
        aliases: [{ name: 'chat', model: 'gpt-4.1-mini', deployment: { modelVersion: '2025-04-14', capacity: 100 } }],
      })
      const its = modelOf(stack, alone)
      const { name } = await its.train()
      const answer = await its.call(name)
      expect(((await answer.json()) as { model: string }).model).toContain('.ft-')
      const [deployment] = await its.deployments()
      expect(deployment?.id.split('/').at(8)).toContain(alone.tenantId.slice('ten_'.length))
      // Another change of its record does not trip over it, and a move would delete it.
      await stack.platform.patch(`/tenants/${alone.tenantId}`, { displayName: 'Still alone' })
      const move = stack.platform.post(`/tenants/${alone.tenantId}/move`, { models: { isolation: 'own-deployment' } })
      await expect(move).rejects.toThrow(/409.*Tuned models/)
      const { offboardingId } = await stack.platform.remove<{ offboardingId: string }>(`/tenants/${alone.tenantId}`)
      expect(await stack.platform.ended(offboardingId)).toMatchObject({ state: 'completed' })
      expect(await resourcesOf(stack, alone.tenantId)).toEqual([])
    },
    TEST_MS_MAX,
  )
})

async function undeployed(): Promise<void> {
  const { body } = await own.ask<{ operationId: string }>('POST', `/models/${model.id}/undeploy`)
  expect(await own.ended(body.operationId)).toMatchObject({ state: 'completed' })
}

async function deployed(wish: object = {}): Promise<string> {
  const { body } = await own.ask<{ operationId: string }>('POST', `/models/${model.id}/deploy`, wish)
  expect(await own.ended(body.operationId)).toMatchObject({ state: 'completed' })
  return body.operationId
}

const step = (id: string, when: 'before' | 'after') => ({
  function: 'hosting-step',
  inputHolds: `"step":"${id}"`,
  when,
})

describe('a host that is killed', () => {
  it.each([step('deploy', 'before'), step('deploy', 'after')])(
    '$when $inputHolds leaves one deployment, and a model that answers',
    async (moment) => {
      await fallAsleep()
      const pid = stack.hostPid()
      await stack.killAt(moment)
      // An instance that has asked for it a moment ago does so again some calls later.
      await eventually('the host has died', async () => {
        await own.call(model.name).catch(() => undefined)
        return stack.hostPid() === pid ? undefined : true
      })
      await stack.restarted(pid)
      expect((await callUntilAwake(own, model.name)).answer.status).toBe(200)
      expect(await own.deployments()).toHaveLength(1)
    },
    TEST_MS_MAX,
  )

  it.each([step('leave', 'after'), step('remove', 'before'), step('remove', 'after')])(
    '$when $inputHolds leaves nothing, and its hosting booked once',
    async (moment) => {
      const pid = stack.hostPid()
      await stack.killAt(moment)
      const undeploy = () => own.ask('POST', `/models/${model.id}/undeploy`).catch(() => undefined)
      await undeploy()
      await stack.restarted(pid)
      // As clients do that got no answer: the host may have died of another step of that name, a sleep's.
      await undeploy()
      await own.isNow('none')
      expect(await own.deployments()).toEqual([])
      const hosted = await own.hosted()
      await runTimer(stack)
      expect(hosted?.calls).toBeGreaterThan(0)
      expect(await own.hosted()).toEqual(hosted)
      await deployed()
    },
    TEST_MS_MAX,
  )
})

describe('a tuned model for which Azure has no quota', () => {
  it(
    'is asleep again, and says so without Azure’s words',
    async () => {
      await fallAsleep()
      const fault = { method: 'PUT', path: '/deployments/', status: 400, code: 'InsufficientQuota', next: 1 }
      await stack.configureSimulator({ arm: { faults: [{ ...fault, message: 'none left in simulator' }] } })
      const said = await eventually('a call is told of the refusal', async () => {
        const text = await (await own.call(model.name)).text()
        return text.includes('provisioning_refused') ? text : undefined
      })
      expect(said).not.toMatch(/simulator|none left|InsufficientQuota/)
      expect((await own.isNow('asleep')).history.at(-1)?.event).toBe('asleep')
    },
    TEST_MS_MAX,
  )
})
