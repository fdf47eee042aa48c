import { readFileSync } from 'node:fs'
import { makeStamp } from '../harness/azure-resources'
import { chatAlias, startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { eventually } from '../conformance/eventually'
import { storedThings, supportExample, supportFiles } from '../tuning/tuning-stack'

let stack: TestStack
let tenant: TestTenant
let trainingFile: string
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_TUNING_POLL_SECONDS: '1' })
  await makeStamp(stack)
  const backend = await stack.makeBackend('gpt-4.1-mini')
  await stack.configureSimulator({ fineTuning: { speed: 6_000 } })
  tenant = await stack.makeTenant({
    aliases: [chatAlias('support', [[backend]]), chatAlias('other', [[backend]], { model: 'gpt-4.1' })],
  })
  const form = new FormData()
  form.set('purpose', 'fine-tune')
  form.set('file', new Blob([readFileSync(supportFiles.training)]), 'train.jsonl')
  trainingFile = String((await call('POST', '/openai/v1/files', form)).json['id'])
})
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

/** Of the alias, once every instance knows where it leads. */
const aliasAnswers = (how: 'as it was taught' | 'as before') =>
  eventually(`the alias answers ${how}`, async () => {
    const isTaught = (await answerOf('support')) === taught
    return isTaught === (how === 'as it was taught') || undefined
  })

const NO_FILE = 'file-00000000000000000000000000'
const JOBS = '/api/tenant/tuning/jobs'
const order = (more: object = {}) => ({ model: 'gpt-4.1-mini-2025-04-14', trainingFile, consent: true, ...more })
const shown = async (id: unknown) => (await call('GET', `${JOBS}/${String(id)}`)).json
const become = (id: unknown, status: string) =>
  eventually(`the job is ${status}`, async () => {
    const job = await shown(id)
    return job['status'] === status ? job : undefined
  })

const { asked: messages, taught } = supportExample()
const answerOf = async (model: string) => {
  const { json } = await call('POST', '/openai/v1/chat/completions', { model, messages })
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
    expect(await answerOf(String(waiting['tunedModel']))).toBe(taught)
    expect(await answerOf('support')).not.toBe(taught)

    await call('POST', `${JOBS}/${String(id)}/decision`, { approved: true })
    const over = await become(id, 'succeeded')
    expect(over).toMatchObject({ training: { examples: 60 }, attempt: 0, region: 'swedencentral' })
    expect((over['steps'] as { id: string; state: string }[]).find((step) => step.id === 'route')?.state).toBe('done')
    await aliasAnswers('as it was taught')

    // Back to exactly what it was, there again, and back.
    const model = `/api/tenant/models/${String(over['modelId'])}`
    expect(await call('POST', `${model}/rollback`)).toMatchObject({
      status: 200,
      json: { promotions: [{ percent: 0 }] },
    })
    await aliasAnswers('as before')
    expect(await call('POST', `${model}/promote`, { alias: 'support' })).toMatchObject({ json: { state: 'led' } })
    await aliasAnswers('as it was taught')
    expect((await call('POST', `${model}/rollback`)).status).toBe(200)
    await aliasAnswers('as before')
    const listed = await call('GET', `${JOBS}?limit=1`)
    expect(listed.json).toMatchObject({ jobs: [{ id }] })
  })

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
    expect(await answerOf(String(over['tunedModel']))).toBe(taught)
    expect(await trainings()).toBe(charges)
  })

  it('that is cancelled while its alias is led to its model gives the alias back, and leaves nothing of the model', async () => {
    const modelsBefore = (await storedThings(stack)).filter(({ collection }) => collection === 'models').length
    const route = { alias: 'support', percentages: [{ percent: 99, forMinutes: 60 }] }
    const { id } = (await call('POST', JOBS, order({ route }))).json
    await aliasAnswers('as it was taught')
    const { modelId } = await shown(id)
    expect((await call('POST', `${JOBS}/${String(id)}/cancel`)).status).toBe(200)
    await become(id, 'cancelled')
    await aliasAnswers('as before')
    expect((await call('GET', `/api/tenant/models/${String(modelId)}`)).status).toBe(404)
    const stored = await storedThings(stack)
    expect(stored.filter(({ collection }) => collection === 'models')).toHaveLength(modelsBefore)
  })

  it.each([
    [{ route: { alias: 'nobody' } }, 'route.alias'],
    [{ route: { alias: 'other' } }, 'route.alias'],
    [{ trainingFile: NO_FILE }, 'trainingFile'],
    [{ validationFile: NO_FILE }, 'validationFile'],
    [{ method: 'dpo', hyperparameters: { prompt_loss_weight: 0.1 } }, 'hyperparameters.prompt_loss_weight'],
    [{ method: 'reinforcement', validationFile: NO_FILE }, 'grader'],
    [{ grader: { type: 'string_check' } }, 'grader'],
  ])('%j is refused before anything is trained, and told by the field', async (more, path) => {
    const refused = await call('POST', JOBS, order(more))
    expect(refused).toMatchObject({ status: 400, json: { errors: [{ path }] } })
  })

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
