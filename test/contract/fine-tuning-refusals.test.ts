import { OpenAI, toFile } from 'openai'
import { eventually } from '../conformance/eventually'
import { makeStamp, resourcesOf } from '../harness/azure-resources'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { jobEnded, lessons, storedThings } from '../tuning/tuning-stack'

let stack: TestStack
let tenant: TestTenant
let client: OpenAI
let fileId: string
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_TUNING_POLL_SECONDS: '1' })
  await makeStamp(stack)
  tenant = await stack.makeTenant()
  client = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: tenant.apiKey, maxRetries: 0 })
  fileId = await upload(lessons(10))
})
afterAll(() => stack.stop())
const calm = { fineTuning: { speed: 6_000, faults: [] }, arm: { faults: [] } }
beforeEach(() =>
  stack.configureSimulator({
    ...calm,
    storedFaults: { ...noFaultsOf('files.create'), ...noFaultsOf('fine_tuning.jobs.create') },
  }),
)

/** A merge replaces lists of faults. */
const noFaultsOf = (operation: string) => ({ [operation]: [] })

const upload = async (bytes: Buffer) =>
  (await client.files.create({ file: await toFile(bytes, 'train.jsonl'), purpose: 'fine-tune' })).id
const MODEL = 'gpt-4.1-mini-2025-04-14'
const order = (more: object = {}) => ({ model: MODEL, training_file: fileId, ...more })

async function ended(more: object = {}) {
  return jobEnded(client, (await client.fineTuning.jobs.create(order(more))).id)
}

describe('a body that asks for a job', () => {
  it.each([
    [{ model: undefined }, 'model'],
    [{ model: 'gpt-5-unheard-of' }, 'model'],
    [{ model: `${MODEL}.ft-00000000000000000000000000` }, 'model'],
    [{ training_file: undefined }, 'training_file'],
    [{ training_file: 'file-00000000000000000000000000' }, 'training_file'],
    [{ validation_file: 'nothing' }, 'validation_file'],
    [{ method: 'supervised' }, 'method'],
    [{ method: { type: 'magic' } }, 'method.type'],
    [{ method: { type: 'dpo', dpo: { hyperparameters: { beta: 3 } } } }, 'method.dpo.hyperparameters.beta'],
    [
      { method: { type: 'supervised', supervised: { hyperparameters: { beta: 1 } } } },
      'method.supervised.hyperparameters.beta',
    ],
    [{ method: { type: 'reinforcement' } }, 'method.reinforcement.grader'],
    [{ hyperparameters: { n_epochs: 0 } }, 'hyperparameters.n_epochs'],
    [{ suffix: 'a b' }, 'suffix'],
    [{ seed: -1 }, 'seed'],
    [{ trainingType: 'cheap' }, 'trainingType'],
    [{ metadata: { a: 1 } }, 'metadata'],
    [{ integrations: [{ type: 'wandb' }] }, 'integrations'],
  ])('%j is refused, and told by the field', async (more, param) => {
    const answer = await fetch(`${stack.baseUrl}/openai/v1/fine_tuning/jobs`, {
      method: 'POST',
      headers: { 'api-key': tenant.apiKey, 'content-type': 'application/json' },
      body: JSON.stringify(order(more)),
    })
    expect([answer.status, ((await answer.json()) as { error: { param: string } }).error.param]).toEqual([400, param])
  })
})

describe('a job that cannot be brought to its end', () => {
  it('for faulty lines fails before anything is sent, and names the line', async () => {
    const faulty = await upload(Buffer.concat([lessons(10), Buffer.from('\n{"messages":[]}')]))
    const over = await ended({ training_file: faulty })
    expect(over).toMatchObject({ status: 'failed', error: { code: 'invalid_training_file', param: 'training_file' } })
    expect(over.error?.message).toContain('line 11')
    expect((await storedThings(stack)).filter(({ collection }) => collection === 'files')).toEqual([])
  })

  it.each([
    { at: 'validating', code: 'jsonlValidationFailed', next: 'Mend the file' },
    { at: 'training', code: 'internalFailure', next: 'Retry the job' },
    { at: 'finishing', code: 'quotaExceeded', next: 'more quota' },
  ])('for $code while $at says so, what to do, and leaves nothing', async ({ at, code, next }) => {
    await stack.configureSimulator({
      fineTuning: { faults: [{ kind: 'fail', at, code, message: 'It went wrong.' }] },
    })
    const over = await ended()
    expect(over).toMatchObject({ status: 'failed', fine_tuned_model: null, error: { code } })
    expect(over.error?.message).toContain('It went wrong.')
    expect(over.error?.message).toContain(next)
    expect((await storedThings(stack)).filter(({ collection }) => collection === 'files')).toEqual([])
  })

  it.each([
    ['before it trains', '[[filter:prompt]]'],
    ['of what it has learned', '[[filter:completion]]'],
  ])('since the content policy blocks it %s says so, and leaves no model', async (_, words) => {
    const line = JSON.stringify({
      messages: [
        { role: 'user', content: words },
        { role: 'assistant', content: words },
      ],
    })
    const before = (await storedThings(stack)).filter(({ collection }) => collection !== 'jobs')
    const over = await ended({ training_file: await upload(Buffer.concat([lessons(10), Buffer.from(`\n${line}`)])) })
    expect(over).toMatchObject({ status: 'failed', fine_tuned_model: null, error: { code: 'contentFilter' } })
    expect(over.error?.message).toContain('does not allow, upload the file again')
    expect((await storedThings(stack)).filter(({ collection }) => collection !== 'jobs')).toEqual(before)
  })

  it.each([
    ['a file', 'files.create', 'refused a file of the job', 'training_file'],
    ['the job', 'fine_tuning.jobs.create', 'refused the job', null],
  ])('since its account refuses %s says what to do, and leaves nothing', async (_, operation, message, param) => {
    await stack.configureSimulator({ storedFaults: { [operation]: [{ kind: 'status:400', next: 100 }] } })
    const over = await ended()
    expect(over).toMatchObject({ status: 'failed', fine_tuned_model: null, error: { param } })
    expect(over.error?.message).toContain(message)
    expect(over.error?.message).toMatch(/Mend the file|Look at the report|ask the operators/)
    expect((await storedThings(stack)).filter(({ collection }) => collection === 'files')).toEqual([])
  })

  it('for want of budget fails before anything is sent, and says which budget to raise', async () => {
    const poor = await stack.makeTenant({ budgetOverrides: { tokensPerDay: { limit: 50 } } })
    const client = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: poor.apiKey, maxRetries: 0 })
    const file = await client.files.create({ file: await toFile(lessons(50), 'train.jsonl'), purpose: 'fine-tune' })
    const { id } = await client.fineTuning.jobs.create({ model: MODEL, training_file: file.id })
    const over = await jobEnded(client, id)
    expect(over).toMatchObject({ status: 'failed', error: { code: 'insufficient_quota' } })
    expect(over.error?.message).toContain('Raise the budget')
  })

  it('since its account has lost it says so', async () => {
    await stack.configureSimulator({ fineTuning: { faults: [{ kind: 'lose', at: 'training' }] } })
    expect(await ended()).toMatchObject({ status: 'failed', error: { code: 'job_lost' } })
  })

  it('since Azure fails while it deploys keeps the trained model, and nothing of the deployment', async () => {
    const fault = { kind: 'operation', method: 'PUT', path: '/deployments/', code: 'InternalServerError', next: 100 }
    await stack.configureSimulator({ arm: { faults: [fault] } })
    const over = await ended()
    expect(over).toMatchObject({ status: 'failed', error: { code: 'provisioning_refused' } })
    expect(over.fine_tuned_model).toMatch(/\.ft-/)
    const deployed = (await resourcesOf(stack, tenant.tenantId)).filter(({ type }) => type.endsWith('/deployments'))
    expect(deployed).toEqual([])
  })

  it('since Azure refuses the deployment keeps the trained model, and nothing of the deployment', async () => {
    await stack.configureSimulator({
      arm: { faults: [{ method: 'PUT', path: '/deployments/', status: 400, code: 'InsufficientQuota', next: 100 }] },
    })
    const over = await ended()
    expect(over).toMatchObject({ status: 'failed', error: { code: 'provisioning_refused' } })
    expect(over.error?.message).toContain('InsufficientQuota')
    expect(over.fine_tuned_model).toMatch(/\.ft-/)
    const deployed = (await resourcesOf(stack, tenant.tenantId)).filter(({ type }) => type.endsWith('/deployments'))
    expect(deployed).toEqual([])
  })
})

const said = (id: string, words: string) =>
  eventually(`the job says "${words}"`, async () => {
    const { data } = await client.fineTuning.jobs.listEvents(id, { limit: 100 })
    return data.find(({ message }) => message.includes(words))
  })

describe('an account that does not answer', () => {
  it('is waited for, and the job says so; what went on there meanwhile is seen when it answers again', async () => {
    const silent = (probability: number) =>
      stack.configureSimulator({ storedFaults: { 'fine_tuning.jobs.retrieve': [{ kind: 'status:503', probability }] } })
    await silent(1)
    const { id } = await client.fineTuning.jobs.create(order())
    expect(await said(id, 'does not answer')).toMatchObject({ level: 'warn' })
    expect((await client.fineTuning.jobs.retrieve(id)).status).toBe('queued')
    await silent(0)
    expect(await jobEnded(client, id)).toMatchObject({ status: 'succeeded', error: null })
  })
})

describe('an account without room', () => {
  it('is waited for', async () => {
    await stack.configureSimulator({ fineTuning: { queuedJobsMax: 0 } })
    const { id } = await client.fineTuning.jobs.create(order())
    await said(id, 'no room')
    await stack.configureSimulator({ fineTuning: { queuedJobsMax: 20 } })
    expect(await jobEnded(client, id)).toMatchObject({ status: 'succeeded' })
  })
})
