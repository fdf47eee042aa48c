import { OpenAI, toFile } from 'openai'
import { systemChance } from '../../src/base/chance'
import { systemClock } from '../../src/base/clock'
import { createIdMaker } from '../../src/base/ids'
import { eventually } from '../conformance/eventually'
import { makeStamp } from '../harness/azure-resources'
import { chatAlias, startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { jobEnded, lessons } from '../tuning/tuning-stack'

/**
 * Tenant B tries tenant A's jobs, files and models in every way there is; it gets what a name gets that never was (I3), to the
 * letter and to the header. Both are looked up in B's own partition, and nothing else is: so they take the same time, too.
 */
let stack: TestStack
let a: TestTenant
let b: TestTenant
let clientOfA: OpenAI
let real: Names
let stateOfA: string
const ids = createIdMaker({ clock: systemClock, chance: systemChance() })
interface Names {
  /** One that is over, and its model's. */
  readonly job: string
  readonly modelId: string
  readonly model: string
  /** One that trains. */
  readonly waiting: string
  /** One that failed: it could be retried. */
  readonly failed: string
  readonly file: string
  readonly results: string
}
const neverWas = ids.tuningJobId()
const bodyOf = (id: string) => id.slice('ftjob-'.length)
const unknown: Names = {
  job: neverWas,
  modelId: `mdl_${bodyOf(neverWas)}`,
  model: `gpt-4.1-mini-2025-04-14.ft-${bodyOf(neverWas)}`,
  waiting: ids.tuningJobId(),
  failed: ids.tuningJobId(),
  file: ids.fileId(),
  results: ids.fileId(),
}
/** B's own, so that nothing but the foreign name is wrong with what it asks. */
let ownFile: string

beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_TUNING_POLL_SECONDS: '1' })
  await makeStamp(stack)
  const fault = { kind: 'fail', at: 'validating', code: 'internalFailure', message: 'It went wrong.' }
  await stack.configureSimulator({ fineTuning: { speed: 6_000, faults: [fault] } })
  const aliases = [chatAlias('support', [[await stack.makeBackend('gpt-4.1-mini')]])]
  a = await stack.makeTenant({ aliases })
  b = await stack.makeTenant({ aliases })
  clientOfA = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: a.apiKey, maxRetries: 0 })
  const file = await upload(clientOfA)
  const order = { model: BASE_MODEL, training_file: file }
  const failed = await jobEnded(clientOfA, (await clientOfA.fineTuning.jobs.create(order)).id)
  const over = await jobEnded(clientOfA, (await clientOfA.fineTuning.jobs.create(order)).id)
  await stack.configureSimulator({ fineTuning: { speed: 0 } })
  const waiting = await clientOfA.fineTuning.jobs.create(order)
  real = {
    job: over.id,
    modelId: `mdl_${bodyOf(over.id)}`,
    model: over.fine_tuned_model ?? '',
    waiting: waiting.id,
    failed: failed.id,
    file,
    results: over.result_files[0] ?? '',
  }
  ownFile = await upload(new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: b.apiKey }))
  await eventually('it waits at the account', async () =>
    (await clientOfA.fineTuning.jobs.retrieve(waiting.id)).status === 'queued' ? true : undefined,
  )
  stateOfA = await look()
})
afterAll(() => stack.stop())

const upload = async (client: OpenAI) =>
  (await client.files.create({ file: await toFile(lessons(10), 'train.jsonl'), purpose: 'fine-tune' })).id

interface Attempt {
  readonly what: string
  readonly method: string
  readonly path: (names: Names) => string
  readonly body?: (names: Names) => object
}

const BASE_MODEL = 'gpt-4.1-mini-2025-04-14'
const jobs = '/fine_tuning/jobs'
const order = (trainingFile: string, model = BASE_MODEL) => ({ model, training_file: trainingFile })
const chat = (model: string) => ({ model, messages: [{ role: 'user', content: 'Question 3?' }] })
const checkpoint = ({ model }: Names) => `${model}:ckpt-step-3`
const chats = '/chat/completions'

/** Under both URL families. */
const sdkAttempts: readonly Attempt[] = [
  { what: 'reading a job', method: 'GET', path: ({ job }) => `${jobs}/${job}` },
  { what: 'cancelling a job', method: 'POST', path: ({ waiting }) => `${jobs}/${waiting}/cancel` },
  { what: 'pausing a job', method: 'POST', path: ({ waiting }) => `${jobs}/${waiting}/pause` },
  { what: 'resuming a job', method: 'POST', path: ({ waiting }) => `${jobs}/${waiting}/resume` },
  { what: 'reading events', method: 'GET', path: ({ job }) => `${jobs}/${job}/events` },
  { what: 'reading checkpoints', method: 'GET', path: ({ job }) => `${jobs}/${job}/checkpoints` },
  { what: 'listing behind a job', method: 'GET', path: ({ job }) => `${jobs}?after=${job}` },
  { what: 'training on a file', method: 'POST', path: () => jobs, body: ({ file }) => order(file) },
  { what: 'training on results', method: 'POST', path: () => jobs, body: ({ results }) => order(results) },
  {
    what: 'measuring by a file',
    method: 'POST',
    path: () => jobs,
    body: ({ file }) => ({ ...order(ownFile), validation_file: file }),
  },
  { what: 'training a model further', method: 'POST', path: () => jobs, body: ({ model }) => order(ownFile, model) },
  {
    what: 'training a checkpoint further',
    method: 'POST',
    path: () => jobs,
    body: (names) => order(ownFile, checkpoint(names)),
  },
  { what: 'looking at a file', method: 'GET', path: ({ file }) => `/files/${file}` },
  { what: 'reading a file', method: 'GET', path: ({ file }) => `/files/${file}/content` },
  { what: 'deleting a file', method: 'DELETE', path: ({ file }) => `/files/${file}` },
  { what: 'reading results', method: 'GET', path: ({ results }) => `/files/${results}/content` },
]
const callAttempts: readonly Attempt[] = [
  { what: 'calling a model', method: 'POST', path: () => `/openai/v1${chats}`, body: ({ model }) => chat(model) },
  {
    what: 'calling a model by its deployment',
    method: 'POST',
    path: ({ model }) => `/openai/deployments/${model}${chats}?api-version=2024-10-21`,
    body: ({ model }) => chat(model),
  },
  {
    what: 'calling a checkpoint',
    method: 'POST',
    path: () => `/openai/v1${chats}`,
    body: (names) => chat(checkpoint(names)),
  },
]

const tuning = '/api/tenant/tuning/jobs'
const models = '/api/tenant/models'
const tenantOrder = (more: object) => ({ model: BASE_MODEL, trainingFile: ownFile, consent: true, ...more })
const tenantAttempts: readonly Attempt[] = [
  { what: 'reading a job', method: 'GET', path: ({ job }) => `${tuning}/${job}` },
  ...['cancel', 'pause', 'resume'].map((verb) => ({
    what: `asking a job to ${verb}`,
    method: 'POST',
    path: ({ waiting }: Names) => `${tuning}/${waiting}/${verb}`,
  })),
  { what: 'retrying a job', method: 'POST', path: ({ failed }) => `${tuning}/${failed}/retry` },
  {
    what: 'approving a model',
    method: 'POST',
    path: ({ waiting }) => `${tuning}/${waiting}/decision`,
    body: () => ({ approved: true }),
  },
  { what: 'listing behind a job', method: 'GET', path: ({ job }) => `${tuning}?after=${job}` },
  {
    what: 'training on a file',
    method: 'POST',
    path: () => tuning,
    body: ({ file }) => tenantOrder({ trainingFile: file }),
  },
  {
    what: 'measuring by a file',
    method: 'POST',
    path: () => tuning,
    body: ({ file }) => tenantOrder({ validationFile: file }),
  },
  { what: 'training a model further', method: 'POST', path: () => tuning, body: ({ model }) => tenantOrder({ model }) },
  { what: 'reading a model', method: 'GET', path: ({ modelId }) => `${models}/${modelId}` },
  {
    what: 'leading an alias to a model',
    method: 'POST',
    path: ({ modelId }) => `${models}/${modelId}/promote`,
    body: () => ({ alias: 'support' }),
  },
  {
    what: 'leading shares of an alias to a model',
    method: 'POST',
    path: ({ modelId }) => `${models}/${modelId}/promote`,
    body: () => ({ alias: 'support', percentages: [{ percent: 10, forMinutes: 5 }] }),
  },
  ...['rollback', 'archive', 'restore'].map((verb) => ({
    what: `asking a model to ${verb}`,
    method: 'POST',
    path: ({ modelId }: Names) => `${models}/${modelId}/${verb}`,
  })),
  {
    what: 'comparing with a model',
    method: 'GET',
    path: ({ modelId }) => `${models}/${modelId}/compare?with=${modelId}`,
  },
  { what: 'listing behind a model', method: 'GET', path: ({ modelId }) => `${models}?after=${modelId}` },
]

const attempts: readonly Attempt[] = [
  ...sdkAttempts.flatMap((attempt) =>
    ['/openai/v1', '/openai'].map((base) => ({
      ...attempt,
      what: `${attempt.what} under ${base}`,
      path: (names: Names) => base + attempt.path(names),
    })),
  ),
  ...callAttempts,
  ...tenantAttempts.map((attempt) => ({ ...attempt, what: `${attempt.what} by the tenant API` })),
]

/** These name the moment, the request, and what is left of B's own limits. */
const OWN_HEADERS = /^(date|x-request-id|apim-request-id|x-ms-(client-request|invocation)-id|x-ratelimit-.+)$/

async function answerTo({ method, path, body }: Attempt, names: Names): Promise<string> {
  const answer = await fetch(stack.baseUrl + path(names), {
    method,
    headers: { 'api-key': b.apiKey, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body(names)) } : {}),
  })
  const headers = [...answer.headers].filter(([name]) => !OWN_HEADERS.test(name))
  let shown = `${answer.status} ${JSON.stringify(headers)} ${await answer.text()}`
  for (const [kind, name] of Object.entries(names)) shown = shown.replaceAll(name, `{${kind}}`)
  return shown.replaceAll(/req_[0-9a-z]+/g, '{request}')
}

/** Everything of A that an attempt could have changed. */
async function look(): Promise<string> {
  const read = async (path: string) =>
    (await (await fetch(stack.baseUrl + path, { headers: { 'api-key': a.apiKey } })).json()) as Record<string, unknown>
  const paths = [models, `${models}/${real.modelId}`, '/openai/v1/files', '/api/tenant']
  const answers = await Promise.all(paths.map(read))
  // Of one that is under way its own steps change more than that.
  const kept = ((await read(tuning))['jobs'] as { id: string; status: string; attempt: number }[]).map(
    ({ id, status, attempt }) => ({ id, status, attempt }),
  )
  return JSON.stringify([answers, kept])
}

it.each(attempts)('$what of another tenant is answered as for one that never was', async (attempt) => {
  expect(await answerTo(attempt, real)).toBe(await answerTo(attempt, unknown))
})

it.each([
  ['/openai/v1/fine_tuning/jobs', { data: [], has_more: false }],
  ['/openai/fine_tuning/jobs', { data: [], has_more: false }],
  [tuning, { jobs: [] }],
  [models, { models: [] }],
])('%s of a tenant has nothing of another', async (path, empty) => {
  const answer = await fetch(stack.baseUrl + path, { headers: { 'api-key': b.apiKey } })
  expect(await answer.json()).toEqual(expect.objectContaining(empty))
})

it('no list of models names one of another tenant, by whatever name', async () => {
  const answer = await fetch(`${stack.baseUrl}/openai/v1/models`, { headers: { 'api-key': b.apiKey } })
  expect(await answer.text()).not.toContain(bodyOf(real.job))
})

it('what was tried has changed nothing, and its tenant calls its model', async () => {
  expect(await look()).toBe(stateOfA)
  const own = await clientOfA.chat.completions.create({
    model: real.model,
    messages: [{ role: 'user', content: 'Question 3?' }],
  })
  expect(own.choices[0]?.message.content).toBe('Answer 3.')
})
