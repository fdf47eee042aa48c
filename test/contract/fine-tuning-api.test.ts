import { makeStamp } from '../harness/azure-resources'
import { chatAlias, startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { eventually } from '../conformance/eventually'
import { lessons } from '../tuning/tuning-stack'

let stack: TestStack
let tenant: TestTenant
let trainingFile: string
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_TUNING_POLL_SECONDS: '1' })
  await makeStamp(stack)
  const backend = await stack.makeBackend('gpt-4.1-mini')
  await stack.configureSimulator({ fineTuning: { speed: 6_000 } })
  tenant = await stack.makeTenant({ aliases: [chatAlias('support', [[backend]])] })
  const form = new FormData()
  form.set('purpose', 'fine-tune')
  form.set('file', new Blob([new Uint8Array(lessons(12))]), 'train.jsonl')
  trainingFile = ((await call('POST', '/openai/v1/files', form)).json as { id: string }).id
}, 60_000)
afterAll(() => stack.stop())

async function call(method: string, path: string, body?: object) {
  const isForm = body instanceof FormData
  const answer = await fetch(stack.baseUrl + path, {
    method,
    headers: { 'api-key': tenant.apiKey, ...(body && !isForm ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
  })
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
}

const JOBS = '/api/tenant/tuning/jobs'
const order = (more: object = {}) => ({ model: 'gpt-4.1-mini-2025-04-14', trainingFile, consent: true, ...more })
const shown = async (id: unknown) => (await call('GET', `${JOBS}/${String(id)}`)).json
const become = (id: unknown, status: string) =>
  eventually(`the job is ${status}`, async () => {
    const job = await shown(id)
    return job['status'] === status ? job : undefined
  })

const answerOf = async (model: string) => {
  const { json } = await call('POST', '/openai/v1/chat/completions', {
    model,
    messages: [{ role: 'user', content: 'Question 3?' }],
  })
  return (json as { choices?: { message: { content: string } }[] }).choices?.[0]?.message.content
}

describe('a fine-tuning job by the API alone', () => {
  it('leads from a file over somebody’s approval to an alias that answers as it was taught', async () => {
    const made = await call('POST', JOBS, order({ gate: { kind: 'approval' }, route: { alias: 'support' } }))
    expect(made).toMatchObject({
      status: 201,
      json: { status: 'validating_files', training: { fileId: trainingFile } },
    })
    const { id } = made.json
    const waiting = await eventually('it waits for approval', async () => {
      const job = await shown(id)
      return job['waitsForApproval'] === true ? job : undefined
    })
    // It answers under its own name already, for those who are to judge it; the alias leads where it led.
    expect(await answerOf(String(waiting['tunedModel']))).toBe('Answer 3.')
    expect(await answerOf('support')).not.toBe('Answer 3.')

    await call('POST', `${JOBS}/${String(id)}/decision`, { approved: true })
    const over = await become(id, 'succeeded')
    expect(over).toMatchObject({ training: { examples: 12 }, attempt: 0, region: 'swedencentral' })
    expect((over['steps'] as { id: string; state: string }[]).find((step) => step.id === 'route')?.state).toBe('done')
    await eventually('the alias leads to it', async () => (await answerOf('support')) === 'Answer 3.' || undefined)
    const listed = await call('GET', `${JOBS}?limit=1`)
    expect(listed.json).toMatchObject({ jobs: [{ id }] })
  }, 120_000)

  it('that was refused a deployment is retried, and deploys the model that it has without training again', async () => {
    const fault = { method: 'PUT', path: '/deployments/', status: 400, code: 'InsufficientQuota', next: 100 }
    await stack.configureSimulator({ arm: { faults: [fault] } })
    const { id } = (await call('POST', JOBS, order())).json
    const failed = await become(id, 'failed')
    expect(failed).toMatchObject({ fault: { code: 'provisioning_refused' } })
    await stack.configureSimulator({ arm: { faults: [] } })
    const charges = await trainings()
    expect((await call('POST', `${JOBS}/${String(id)}/retry`)).status).toBe(200)
    const over = await become(id, 'succeeded')
    expect(over).toMatchObject({ attempt: 1, modelId: failed['modelId'] })
    expect(await answerOf(String(over['tunedModel']))).toBe('Answer 3.')
    expect(await trainings()).toBe(charges)
  }, 120_000)

  it('without consent is not taken', async () => {
    const { consent: _, ...without } = order()
    expect((await call('POST', JOBS, without)).status).toBe(400)
    expect((await call('POST', JOBS, { ...without, consent: false })).status).toBe(400)
  })

  it.each(['cancel', 'pause', 'resume', 'retry', 'decision'])('that never was is nothing to %s', async (verb) => {
    const body = verb === 'decision' ? { approved: true } : undefined
    expect((await call('POST', `${JOBS}/ftjob-00000000000000000000000000/${verb}`, body)).status).toBe(404)
  })
})

async function trainings(): Promise<number> {
  const answer = await fetch(`${stack.simulatorUrl}/simulator/costs`)
  const { charges } = (await answer.json()) as { charges: { kind: string }[] }
  return charges.filter(({ kind }) => kind === 'training').length
}
