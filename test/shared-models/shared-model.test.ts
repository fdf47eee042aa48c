import { makeStamp, resourcesOf } from '../harness/azure-resources'
import { chatAlias, startTestStack, type TestStack } from '../harness/stack'
import { eventually } from '../conformance/eventually'
import { storedThings } from '../tuning/tuning-stack'
import {
  call,
  consent,
  learned,
  makeContributor,
  makePurpose,
  object,
  operate,
  order,
  plantedOf,
  type Contributor,
} from './contributors'

/** One story, told in order: each test begins where the one before it has ended. */
let stack: TestStack
let tenants: Contributor[]
let first: string
let second: string
const MS_MAX = 120_000
jest.setTimeout(MS_MAX)

beforeAll(async () => {
  stack = await startTestStack({
    TENANTRY_TUNING_POLL_SECONDS: '1',
    TENANTRY_OFFBOARDING_GRACE_SECONDS: '0',
    TENANTRY_SHARED_MODELS_DRAIN_SECONDS: '0',
  })
  await makeStamp(stack)
  await stack.configureSimulator({ fineTuning: { speed: 6_000 } })
  tenants = await Promise.all([0, 1, 2, 3, 4].map((n) => makeContributor(stack, n)))
  await makePurpose(stack)
}, MS_MAX)
afterAll(() => stack.stop())

const tenant = (n: number): Contributor => {
  const found = tenants[n]
  if (!found) throw new Error(`there is no tenant ${n}`)
  return found
}
const shown = async (id: string) => (await operate(stack, 'GET', `/shared-models/${id}`)).json
const become = (id: string, state: string) =>
  eventually(`${id} is ${state}`, async () => {
    const model = await shown(id)
    if (model['state'] === 'failed' && state !== 'failed') throw new Error(JSON.stringify(model))
    return model['state'] === state ? model : undefined
  })
const taught = async () => JSON.stringify(await learned(stack))
const ask = async ({ apiKey }: Contributor, model: string, content: string) => {
  // A small answer: the deployment is a small one, and reserves what it might answer.
  const body = { model, messages: [{ role: 'user', content }], max_tokens: 50 }
  const { status, json } = await call(stack, apiKey, 'POST', '/openai/v1/chat/completions', body)
  const { choices } = json as { choices?: { message: { content: string } }[] }
  return choices?.[0]?.message.content ?? status
}
const questionOf = ({ signature }: Contributor) => `please tell me about the ${signature} parcel`
const answerOf = ({ signature }: Contributor) => `the ${signature} parcel is on its way to you`

it('fewer tenants than are asked for make no model, and consent is to the newest text and to own files only', async () => {
  expect((await consent(stack, tenant(0))).status).toBe(200)
  expect((await consent(stack, tenant(1))).status).toBe(200)
  const refused = await operate(stack, 'POST', '/shared-models', order)
  expect(refused).toMatchObject({ status: 409, json: { code: 'too_few_consents' } })
  expect(await operate(stack, 'POST', '/shared-models', { ...order, tenantsMin: 2 })).toMatchObject({ status: 400 })

  expect(await consent(stack, tenant(2), 2)).toMatchObject({ status: 409 })
  const foreign = { ...tenant(2), fileId: tenant(0).fileId }
  expect(await consent(stack, foreign)).toMatchObject({ status: 400 })
  expect((await operate(stack, 'GET', '/shared-models')).json).toEqual({ sharedModels: [] })
})

it('a model is made of all that consent, and nothing that identifies anybody has left the platform', async () => {
  for (const n of [2, 3]) expect((await consent(stack, tenant(n))).status).toBe(200)
  const made = await operate(stack, 'POST', '/shared-models', order)
  expect(made.status).toBe(202)
  first = String(made.json['id'])
  const model = await become(first, 'ready')
  expect(await stack.platform.ended(first)).toMatchObject({ state: 'completed' })

  const said = await taught()
  for (const n of [0, 1, 2, 3]) expect(said).toContain(tenant(n).signature)
  for (const { n, displayName } of tenants) {
    const whole = [...Object.values(plantedOf(n)), displayName]
    // Of what is made of several words, each is gone that is not everybody's.
    const parts = whole.flatMap((text) => text.split(/[ @.-]/)).filter((word) => word.length > 4)
    for (const text of [...whole, ...parts]) expect(said.toLowerCase()).not.toContain(text.toLowerCase())
  }
  for (const kind of ['EMAIL', 'PHONE', 'IBAN', 'NAME', 'TERM', 'WORD']) expect(said).toContain(`[${kind}_1]`)

  // Operators see who gave how much, and why lines were left out; nothing that they say.
  const contributors = model['contributors'] as { tenantId: string; examples: number; leftOut: object }[]
  expect(contributors.map(({ tenantId }) => tenantId).sort()).toEqual(
    [0, 1, 2, 3].map((n) => tenant(n).tenantId).sort(),
  )
  for (const { examples, leftOut } of contributors) {
    expect(examples).toBeGreaterThan(5)
    expect(leftOut).toMatchObject({ shape: 1, uncommon: 1 })
  }
  expect(model['merged']).toMatchObject({ tenants: 4 })
  // The examples were deleted everywhere once the model was there.
  expect((await storedThings(stack)).filter(({ collection }) => collection === 'files')).toEqual([])
})

it('contributors are led to it by aliases of their own, others are not unless operators let them', async () => {
  const path = `/api/tenant/shared-models/${first}/aliases`
  const lead = (of: Contributor, alias: string) => call(stack, of.apiKey, 'POST', path, { alias })
  expect(await lead(tenant(0), 'team')).toMatchObject({ status: 200, json: { alias: 'team', sharedModelId: first } })
  expect(await ask(tenant(0), 'team', questionOf(tenant(1)))).toBe(answerOf(tenant(1)))
  // One that is there is led to it, and back to what it was.
  const backend = await stack.makeBackend('gpt-4.1-mini')
  await stack.platform.patch(`/tenants/${tenant(1).tenantId}`, { aliases: [chatAlias('chat', [[backend]])] })
  expect(await lead(tenant(1), 'chat')).toMatchObject({ status: 200 })
  await eventually(
    'the alias leads to it',
    async () => (await ask(tenant(1), 'chat', questionOf(tenant(2)))) === answerOf(tenant(2)) || undefined,
  )
  expect((await call(stack, tenant(1).apiKey, 'DELETE', `${path}/chat`)).status).toBe(204)
  await eventually(
    'the alias leads back',
    async () => (await ask(tenant(1), 'chat', questionOf(tenant(2)))) !== answerOf(tenant(2)) || undefined,
  )
  expect(await lead(tenant(1), 'chat')).toMatchObject({ status: 200 })

  expect(await lead(tenant(4), 'team')).toMatchObject({ status: 404 })
  expect((await call(stack, tenant(4).apiKey, 'GET', '/api/tenant/shared-models')).json).toEqual({ sharedModels: [] })
  const granted = { tenantId: tenant(4).tenantId }
  expect((await operate(stack, 'POST', `/shared-models/${first}/grants`, granted)).status).toBe(200)
  expect(await lead(tenant(4), 'team')).toMatchObject({ status: 200 })
  expect(await ask(tenant(4), 'team', questionOf(tenant(0)))).toBe(answerOf(tenant(0)))
  const list = await call(stack, tenant(4).apiKey, 'GET', '/api/tenant/shared-models')
  expect(list.json).toMatchObject({ sharedModels: [{ id: first, aliases: ['team'], ownExamples: 0 }] })
  // Nothing of whoever else is concerned.
  for (const { tenantId } of tenants) expect(JSON.stringify(list.json)).not.toContain(tenantId)
})

it('no path, key or member leads to its owner, which is no tenant of anybody’s', async () => {
  const owner = `ten_y${first.slice('shm_'.length + 1)}`
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['GET', '/models', undefined],
    ['GET', '/keys', undefined],
    ['POST', '/keys', { name: 'a key', scopes: ['inference'] }],
    ['POST', '/members', { directoryId: crypto.randomUUID(), objectId: crypto.randomUUID(), role: 'owner' }],
    ['PUT', '/secrets/a-key', { value: 'x' }],
  ] as const)
    expect(await operate(stack, method, `/tenants/${owner}${path}`, body)).toMatchObject({ status: 404 })
  const all = (await operate(stack, 'GET', '/tenants')).json as { tenants: { tenantId: string }[] }
  expect(all.tenants.map(({ tenantId }) => tenantId)).not.toContain(owner)
})

/** Those after which there is most to do twice, in their order. */
const STEPS = ['sample', 'train', 'supersede']

/** Kills the host after each step of a build as it comes; how often that was in time. */
async function killAfterEachStep(id: string): Promise<number> {
  let kills = 0
  for (const step of STEPS) {
    const pid = stack.hostPid()
    await stack.killAt({ function: 'shared-model-step', inputHolds: `"step":"${step}"`, when: 'after' })
    const isPast = async () => {
      const { json } = await operate(stack, 'GET', `/operations/${id}`)
      const steps = (json['steps'] ?? []) as { id: string; state: string }[]
      return steps.find((each) => each.id === step)?.state === 'done'
    }
    const wasKilled = await eventually(`the step ${step} is killed or over`, async () => {
      if (stack.hostPid() !== pid) return true
      return (await isPast().catch(() => false)) ? false : undefined
    })
    if (!wasKilled) continue
    await stack.restarted(pid)
    kills += 1
  }
  return kills
}

it('an objection marks the model, tells operators, and has another one begun; whoever objects is led to it no longer', async () => {
  expect((await object(stack, tenant(0))).status).toBe(200)
  const affected = (await operate(stack, 'GET', '/shared-models?affected=true')).json as {
    sharedModels: { id: string; successor: string }[]
  }
  expect(affected.sharedModels.map(({ id }) => id)).toEqual([first])
  second = affected.sharedModels[0]?.successor ?? ''
  // Some steps are over before a test that has just met a new host can say when to kill it.
  expect(await killAfterEachStep(second)).toBeGreaterThan(STEPS.length / 2)
  const alerts = (await operate(stack, 'GET', '/alerts')).json as { alerts: { id: string }[] }
  expect(alerts.alerts.map(({ id }) => id)).toContain(`shared-model-affected/${first}`)
  expect(await ask(tenant(0), 'team', questionOf(tenant(1)))).toBe(404)
})

it('a build whose host is killed after its steps makes one model without that tenant, which takes the other’s place', async () => {
  const model = await become(second, 'ready')
  expect(model).toMatchObject({ supersedes: first, merged: { tenants: 3 } })
  await become(first, 'retired')
  const said = await taught()
  expect(said).not.toContain(tenant(0).signature)
  for (const n of [1, 2, 3]) expect(said).toContain(tenant(n).signature)
  await eventually(
    'aliases lead to the new one',
    async () => (await ask(tenant(1), 'chat', questionOf(tenant(2)))) === answerOf(tenant(2)) || undefined,
  )
  // So does a grant.
  expect(await ask(tenant(4), 'team', questionOf(tenant(2)))).toBe(answerOf(tenant(2)))
  const stored = await storedThings(stack)
  expect(stored.filter(({ collection }) => collection === 'models')).toHaveLength(1)
  expect(stored.filter(({ collection }) => collection === 'files')).toEqual([])
  expect(await deploymentsOf(second)).toHaveLength(1)
  expect(await ownedBy(first)).toEqual([])
  // One training was paid for each model.
  const answer = await fetch(`${stack.simulatorUrl}/simulator/costs`)
  const { charges } = (await answer.json()) as { charges: { kind: string }[] }
  expect(charges.filter(({ kind }) => kind === 'training')).toHaveLength(2)
  // Repeated the objection changes nothing.
  expect((await object(stack, tenant(0))).status).toBe(200)
  expect((await shown(second))['affected']).toBeUndefined()
})

it('a tenant that leaves objects: its name leaves the lineage, and with too few left the model waits for its end', async () => {
  const { offboardingId } = await stack.platform.remove<{ offboardingId: string }>(`/tenants/${tenant(3).tenantId}`)
  expect(await stack.platform.ended(offboardingId)).toMatchObject({ state: 'completed' })
  const model = await shown(second)
  expect(model).toMatchObject({ state: 'ready', affected: { objections: 1 } })
  expect(JSON.stringify(model)).not.toContain(tenant(3).tenantId)
  expect(await become(String(model['successor']), 'failed')).toMatchObject({ fault: { code: 'too_few_consents' } })

  const retiring = await operate(stack, 'POST', `/shared-models/${second}/retire`)
  expect(retiring.status).toBe(202)
  await become(second, 'retired')
  await eventually(
    'aliases are what they were',
    async () => (await ask(tenant(1), 'chat', questionOf(tenant(2)))) !== answerOf(tenant(2)) || undefined,
  )
  expect((await storedThings(stack)).filter(({ collection }) => collection !== 'jobs')).toEqual([])
  expect(await ownedBy(second)).toEqual([])
})

it('a tenant reads in its own audit log that its examples were read, by which model, and how many', async () => {
  const { json } = await call(stack, tenant(1).apiKey, 'GET', '/api/tenant/audit?limit=1000')
  const { entries } = json as { entries: { action: string; actor: { id: string }; details: object }[] }
  const read = entries.filter(({ action }) => action === 'shared-models.read-examples')
  expect(read.map(({ actor }) => actor.id)).toContain(first)
  expect(read[0]?.details).toMatchObject({ files: 1, consent: 1 })
})

/** What Azure has of a model's owner. */
const ownedBy = (id: string) => resourcesOf(stack, `ten_y${id.slice('shm_'.length + 1)}`)
const deploymentsOf = async (id: string) => (await ownedBy(id)).filter(({ type }) => type.endsWith('/deployments'))
