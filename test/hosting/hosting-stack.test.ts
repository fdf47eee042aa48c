import { makeStamp, resourcesOf } from '../harness/azure-resources'
import { startTestStack, type TestStack } from '../harness/stack'
import { eventually } from '../conformance/eventually'
import { modelOf, passDaysUpstream, runTimer } from './stack-model'

const TEST_MS_MAX = 90_000

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack({
    TENANTRY_TUNING_POLL_SECONDS: '1',
    TENANTRY_OFFBOARDING_GRACE_SECONDS: '0',
    TENANTRY_MOVING_DRAIN_SECONDS: '1',
  })
  await makeStamp(stack)
  await stack.configureSimulator({ fineTuning: { speed: 6_000, jobsMax: 200 } })
}, 60_000)
afterAll(() => stack.stop())

/** A tenant whose tuned model Azure has taken down, and whose alias `chat` leads to the base. */
async function asleep(more: Parameters<TestStack['makeTenant']>[0] = {}) {
  const tenant = await stack.makeTenant(more)
  const own = modelOf(stack, tenant)
  const model = await own.train()
  await passDaysUpstream(stack)
  await runTimer(stack)
  await own.isNow('asleep')
  return { tenant, own, model }
}

/** Calls until it answers; what the others were told. */
async function callUntilAwake({ call }: ReturnType<typeof modelOf>, name: string) {
  const told: { status: number; code: string; retryAfter: string | null; message: string }[] = []
  const answer = await eventually(`${name} answers`, async () => {
    const response = await call(name)
    if (response.status === 200) return response
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    told.push({ status: response.status, retryAfter: response.headers.get('retry-after'), ...error })
    return undefined
  })
  return { answer, told }
}

describe('a tuned model that Azure has taken down', () => {
  it(
    'is woken by the first call, of whatever alias leads to it, which is told the wait; and once, by calls of all instances',
    async () => {
      const { tenant, own, model } = await asleep()
      expect(await own.deployments()).toEqual([])
      expect(model.history.at(-1)?.event).toBe('deployed')
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
    'lets the base answer meanwhile where its tenant wants that, at the base’s price, and says which model did',
    async () => {
      const { own, model } = await asleep()
      const whileAsleep = [{ alias: model.name, answeredBy: 'chat' }]
      expect((await own.ask('PATCH', '', { settings: { tunedModels: { whileAsleep } } })).status).toBe(200)
      const answer = await own.call(model.name)
      expect([answer.status, answer.headers.get('x-tenantry-model')]).toEqual([200, 'chat'])
      expect(answer.headers.get('x-tenantry-fallback')).toBe('true')
      expect(((await answer.json()) as { model: string }).model).not.toContain('.ft-')
      await own.isNow('deployed')
      const tuned = await eventually('the tuned model answers', async () => {
        const response = await own.call(model.name)
        return response.headers.get('x-tenantry-fallback') === null ? response : undefined
      })
      expect(tuned.status).toBe(200)
    },
    TEST_MS_MAX,
  )

  it(
    'is asleep again where Azure has no quota for it, and says so without Azure’s words',
    async () => {
      const { own, model } = await asleep()
      const fault = {
        kind: 'answer',
        method: 'PUT',
        path: '/deployments/',
        status: 400,
        code: 'InsufficientQuota',
        next: 1,
      }
      await stack.configureSimulator({ arm: { faults: [{ ...fault, message: 'none left in simulator' }] } })
      const said = await eventually('a call is told of the refusal', async () => {
        const text = await (await own.call(model.name)).text()
        return text.includes('provisioning_refused') ? text : undefined
      })
      expect(said).not.toMatch(/simulator|none left|InsufficientQuota/)
      expect((await own.isNow('asleep')).history.at(-1)?.event).toBe('asleep')
      await stack.configureSimulator({ arm: { faults: [] } })
    },
    TEST_MS_MAX,
  )
})

describe('a tuned model', () => {
  it(
    'is undeployed and deployed by its tenant, leaves nothing behind at Azure, and its hours are in the usage',
    async () => {
      const own = modelOf(stack, await stack.makeTenant())
      const { id, name } = await own.train()
      expect((await own.ask('POST', `/models/${id}/promote`, { alias: 'chat' })).status).toBe(202)
      const refused = await own.ask<{ detail: string }>('POST', `/models/${id}/undeploy`)
      expect(refused).toMatchObject({
        status: 409,
        body: { code: 'conflict', detail: expect.stringContaining('"chat"') },
      })
      expect((await own.ask('POST', `/models/${id}/rollback`)).status).toBe(200)

      const undeploying = await own.ask<{ operationId: string }>('POST', `/models/${id}/undeploy`)
      expect(undeploying.status).toBe(202)
      expect(await own.ended(undeploying.body.operationId)).toMatchObject({ state: 'completed' })
      expect(await own.deployments()).toEqual([])
      expect((await own.call(name)).status).toBe(404)
      expect((await own.only()).deployment).toEqual({ state: 'none' })
      expect(await own.hosted()).toMatchObject({ calls: expect.any(Number), costMicroUsd: expect.any(Number) })
      expect((await own.hosted())?.costMicroUsd).toBeGreaterThan(0)
      expect(await own.ask('POST', `/models/${id}/undeploy`)).toMatchObject({ status: 409 })

      const wish = { sku: 'GlobalStandard', capacity: 20 }
      const deploying = await own.ask<{ operationId: string }>('POST', `/models/${id}/deploy`, wish)
      expect(await own.ended(deploying.body.operationId)).toMatchObject({ state: 'completed' })
      expect((await own.only()).deployment).toMatchObject({ state: 'deployed', ...wish })
      expect((await own.call(name)).status).toBe(200)
      expect(await own.ask('POST', `/models/${id}/deploy`, wish)).toMatchObject({ status: 409 })

      const foreign = modelOf(stack, await stack.makeTenant())
      const unknown = await foreign.ask('GET', `/operations/hos_${'0'.repeat(26)}`)
      expect((await foreign.ask('GET', `/operations/${deploying.body.operationId}`)).status).toBe(unknown.status)
      expect((await foreign.call(name)).status).toBe(404)
    },
    TEST_MS_MAX,
  )

  it.each(['own-deployment', 'dedicated'])(
    'is deployed for a tenant whose models are %s, and goes with it',
    async (models) => {
      const tenant = await stack.platform.onboard({
        displayName: 'Alone',
        contact: { email: 'a@b.example' },
        region: 'swedencentral',
        tier: 'premium',
        isolation: { models, data: 'logical' },
        aliases: [{ name: 'chat', model: 'gpt-4.1-mini', deployment: { modelVersion: '2025-04-14', capacity: 100 } }],
      })
      const own = modelOf(stack, tenant)
      const { name } = await own.train()
      const answer = await own.call(name)
      expect(((await answer.json()) as { model: string }).model).toContain('.ft-')
      const [deployment] = await own.deployments()
      const account = deployment?.id.split('/').at(8) ?? ''
      // In its own account, or in a shared one under the tenant's id; it is nobody else's backend.
      expect(models === 'dedicated' ? account : deployment?.id).toContain(tenant.tenantId.slice('ten_'.length))
      // Another change of its record does not trip over it.
      expect(await stack.platform.patch(`/tenants/${tenant.tenantId}`, { displayName: 'Still alone' })).toBeDefined()
      await passDaysUpstream(stack)
      await runTimer(stack)
      await own.isNow('asleep')
      expect((await callUntilAwake(own, name)).answer.status).toBe(200)
      const { offboardingId } = await stack.platform.remove<{ offboardingId: string }>(`/tenants/${tenant.tenantId}`)
      expect(await stack.platform.ended(offboardingId)).toMatchObject({ state: 'completed' })
      expect(await resourcesOf(stack, tenant.tenantId)).toEqual([])
    },
    TEST_MS_MAX,
  )
})

const step = (id: string, when: 'before' | 'after') => ({
  function: 'hosting-step',
  inputHolds: `"step":"${id}"`,
  when,
})
const comings = [step('deploy', 'before'), step('deploy', 'after')]
const goings = [step('leave', 'before'), step('leave', 'after'), step('remove', 'before'), step('remove', 'after')]

describe('a host that is killed', () => {
  it.each(comings)(
    '$when the step of a deployment leaves one deployment, and a model that answers',
    async (moment) => {
      const { own, model } = await asleep()
      const pid = stack.hostPid()
      await stack.killAt(moment)
      await own.call(model.name)
      await stack.restarted(pid)
      expect((await callUntilAwake(own, model.name)).answer.status).toBe(200)
      expect(await own.deployments()).toHaveLength(1)
    },
    TEST_MS_MAX,
  )

  it.each(goings)(
    '$when the step $inputHolds leaves nothing, and its hosting booked once',
    async (moment) => {
      const own = modelOf(stack, await stack.makeTenant())
      const { id } = await own.train()
      const pid = stack.hostPid()
      await stack.killAt(moment)
      await own.ask('POST', `/models/${id}/undeploy`).catch(() => undefined)
      await stack.restarted(pid)
      await own.isNow('none')
      expect(await own.deployments()).toEqual([])
      const hosted = await own.hosted()
      await runTimer(stack)
      expect(hosted?.calls).toBeGreaterThan(0)
      expect(await own.hosted()).toEqual(hosted)
    },
    TEST_MS_MAX,
  )
})
