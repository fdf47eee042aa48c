import { OpenAI, toFile } from 'openai'
import { makeStamp, resourcesOf } from '../harness/azure-resources'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { eventually } from '../conformance/eventually'
import { jobEnded, lessons, storedThings } from './tuning-stack'

/** A step, the restart and the rest of the job. */
const ENDED_MS_MAX = 240_000
const STEPS = [
  'check',
  'account',
  'reserve',
  'turn',
  'upload',
  'create',
  'follow',
  'meter',
  'collect',
  'register',
  'deploy',
  'take-back',
  'clear',
  'settle',
  'notify',
]

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_TUNING_POLL_SECONDS: '1', TENANTRY_OFFBOARDING_GRACE_SECONDS: '0' })
  await makeStamp(stack)
  await stack.configureSimulator({ fineTuning: { speed: 6_000, jobsMax: 200 } })
})
afterAll(() => stack.stop())

const moments = [
  ...STEPS.flatMap((step) => [
    { name: `the step ${step}`, function: 'tuning-step', holds: `"step":"${step}"`, when: 'before' as const },
    { name: `the step ${step}`, function: 'tuning-step', holds: `"step":"${step}"`, when: 'after' as const },
  ]),
  { name: 'its beginning', function: 'begin-tuning', holds: '"jobId"', when: 'before' as const },
  { name: 'its beginning', function: 'begin-tuning', holds: '"jobId"', when: 'after' as const },
]

describe('a fine-tuning job whose host is killed', () => {
  it.each(moments)(
    '$when $name ends once, with one model, one deployment and one charge',
    async ({ function: name, holds, when }) => {
      const tenant = await stack.makeTenant({ budgetOverrides: { tokensPerDay: { limit: 10_000_000 } } })
      const client = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: tenant.apiKey, maxRetries: 8 })
      const file = await client.files.create({ file: await toFile(lessons(10), 'train.jsonl'), purpose: 'fine-tune' })
      const chargesBefore = await charges()
      const pid = stack.hostPid()
      await stack.killAt({ function: name, inputHolds: holds, when })
      const order = { model: 'gpt-4.1-mini-2025-04-14', training_file: file.id }
      // The host may die before the answer is out; the job is there all the same, and must not be made twice.
      const made = await client.fineTuning.jobs.create(order, { maxRetries: 0 }).catch(() => undefined)
      await stack.restarted(pid)
      const id = made?.id ?? (await client.fineTuning.jobs.list({ limit: 1 })).data[0]?.id ?? ''
      const over = await jobEnded(client, id)
      expect(over).toMatchObject({ status: 'succeeded', training_file: file.id })
      expect((await client.fineTuning.jobs.list()).data.map((job) => job.id)).toEqual([id])

      await eventually(
        'the training counts once',
        async () => (await metered(tenant)) === over.trained_tokens || undefined,
      )
      expect(await charges()).toBe(chargesBefore + 1)
      const stored = await storedThings(stack)
      expect(stored.filter(({ collection }) => collection === 'files')).toEqual([])
      expect(stored.filter(({ collection }) => collection === 'models')).toHaveLength(1)
      expect(await deploymentsOf(tenant)).toHaveLength(1)

      // And goes with its tenant, whatever was repeated.
      const { offboardingId } = await stack.platform.remove<{ offboardingId: string }>(`/tenants/${tenant.tenantId}`)
      expect(await stack.platform.ended(offboardingId)).toMatchObject({ state: 'completed' })
      expect((await storedThings(stack)).filter(({ collection }) => collection !== 'jobs')).toEqual([])
      expect(await deploymentsOf(tenant)).toEqual([])
    },
    ENDED_MS_MAX,
  )
})

describe('a fine-tuning job that is cancelled while an alias is led to its model, and whose host is killed', () => {
  it.each(['before', 'after'] as const)(
    '%s it takes things back gives the alias back, and leaves nothing',
    async (when) => {
      const { tenantId, apiKey } = await stack.makeTenant()
      const aliases = async () =>
        JSON.stringify((await stack.platform.get<{ aliases: unknown }>(`/tenants/${tenantId}`)).body.aliases)
      const before = await aliases()
      const client = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey, maxRetries: 8 })
      const file = await client.files.create({ file: await toFile(lessons(10), 'train.jsonl'), purpose: 'fine-tune' })
      const send = async (path: string, body: object) => {
        const headers = { 'api-key': apiKey, 'content-type': 'application/json' }
        const init = { method: 'POST', headers, body: JSON.stringify(body) }
        return (await (await fetch(stack.baseUrl + path, init)).json()) as { id: string }
      }
      const route = { alias: 'chat', percentages: [{ percent: 50, forMinutes: 60 }] }
      const order = { model: 'gpt-4.1-mini-2025-04-14', trainingFile: file.id, consent: true, route }
      const { id } = await send('/api/tenant/tuning/jobs', order)
      const model = `mdl_${id.slice('ftjob-'.length)}`
      const backend = `bke_${id.slice('ftjob-'.length)}`
      await eventually('the alias is led to the model', async () => {
        const { aliases: now } = (await stack.platform.get<{ aliases: { name: string }[] }>(`/tenants/${tenantId}`))
          .body
        return JSON.stringify(now.find(({ name }) => name === 'chat')).includes(backend) || undefined
      })

      const pid = stack.hostPid()
      await stack.killAt({ function: 'tuning-step', inputHolds: '"step":"take-back"', when })
      await send(`/api/tenant/tuning/jobs/${id}/cancel`, {})
      await stack.restarted(pid)
      expect(await jobEnded(client, id)).toMatchObject({ status: 'cancelled', fine_tuned_model: null })
      expect(await aliases()).toBe(before)
      const shown = await fetch(`${stack.baseUrl}/api/tenant/models/${model}`, { headers: { 'api-key': apiKey } })
      expect(shown.status).toBe(404)
      expect((await storedThings(stack)).filter(({ collection }) => collection !== 'jobs')).toEqual([])
      expect((await resourcesOf(stack, tenantId)).filter(({ type }) => type.endsWith('/deployments'))).toEqual([])
    },
  )
})

/** Trainings that the simulator has charged. */
async function charges(): Promise<number> {
  const answer = await fetch(`${stack.simulatorUrl}/simulator/costs`)
  const { charges: all } = (await answer.json()) as { charges: { kind: string }[] }
  return all.filter(({ kind }) => kind === 'training').length
}

/** Prompt tokens that the tenant is shown: it has made no calls. */
async function metered({ apiKey }: TestTenant): Promise<number> {
  const answer = await fetch(`${stack.baseUrl}/api/tenant/usage`, { headers: { 'api-key': apiKey } })
  const { totals } = (await answer.json()) as { totals: { promptTokens: number } }
  return totals.promptTokens
}

const deploymentsOf = async ({ tenantId }: TestTenant) =>
  (await resourcesOf(stack, tenantId)).filter(({ type }) => type.endsWith('/deployments'))
