import { OpenAI, toFile } from 'openai'
import { systemChance } from '../../src/base/chance'
import { systemClock } from '../../src/base/clock'
import { createIdMaker } from '../../src/base/ids'
import { makeStamp } from '../harness/azure-resources'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { jobEnded, lessons } from '../tuning/tuning-stack'

/** Tenant B tries tenant A's jobs, files and models in every way there is; it gets what a name gets that never was (I3). */
let stack: TestStack
let a: TestTenant
let b: TestTenant
let clientOfA: OpenAI
let real: Names
const ids = createIdMaker({ clock: systemClock, chance: systemChance() })
interface Names {
  readonly job: string
  readonly waiting: string
  readonly file: string
  readonly results: string
  readonly model: string
}
const unknown: Names = {
  job: ids.tuningJobId(),
  waiting: ids.tuningJobId(),
  file: ids.fileId(),
  results: ids.fileId(),
  model: `gpt-4.1-mini-2025-04-14.ft-${ids.tuningJobId().slice('ftjob-'.length)}`,
}

beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_TUNING_POLL_SECONDS: '1' })
  await makeStamp(stack)
  await stack.configureSimulator({ fineTuning: { speed: 6_000 } })
  a = await stack.makeTenant()
  b = await stack.makeTenant()
  clientOfA = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: a.apiKey, maxRetries: 0 })
  const file = await clientOfA.files.create({ file: await toFile(lessons(10), 'train.jsonl'), purpose: 'fine-tune' })
  const order = { model: 'gpt-4.1-mini-2025-04-14', training_file: file.id }
  const over = await jobEnded(clientOfA, (await clientOfA.fineTuning.jobs.create(order)).id)
  await stack.configureSimulator({ fineTuning: { speed: 0 } })
  const waiting = await clientOfA.fineTuning.jobs.create(order)
  real = {
    job: over.id,
    waiting: waiting.id,
    file: file.id,
    results: over.result_files[0] ?? '',
    model: over.fine_tuned_model ?? '',
  }
}, 120_000)
afterAll(() => stack.stop())

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

const attempts: readonly Attempt[] = [
  { what: 'reading a job', method: 'GET', path: ({ job }) => `${jobs}/${job}` },
  { what: 'cancelling a job', method: 'POST', path: ({ waiting }) => `${jobs}/${waiting}/cancel` },
  { what: 'pausing a job', method: 'POST', path: ({ waiting }) => `${jobs}/${waiting}/pause` },
  { what: 'resuming a job', method: 'POST', path: ({ waiting }) => `${jobs}/${waiting}/resume` },
  { what: 'reading events', method: 'GET', path: ({ job }) => `${jobs}/${job}/events` },
  { what: 'reading checkpoints', method: 'GET', path: ({ job }) => `${jobs}/${job}/checkpoints` },
  { what: 'listing behind a job', method: 'GET', path: ({ job }) => `${jobs}?after=${job}` },
  { what: 'training on a file', method: 'POST', path: () => jobs, body: ({ file }) => order(file) },
  { what: 'training on results', method: 'POST', path: () => jobs, body: ({ results }) => order(results) },
  { what: 'training a model further', method: 'POST', path: () => jobs, body: ({ file, model }) => order(file, model) },
  { what: 'reading results', method: 'GET', path: ({ results }) => `/files/${results}/content` },
]
const bases = ['/openai/v1', '/openai']

async function answerTo({ method, path, body }: Attempt, base: string, names: Names): Promise<string> {
  const answer = await fetch(stack.baseUrl + base + path(names), {
    method,
    headers: { 'api-key': b.apiKey, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body(names)) } : {}),
  })
  let shown = `${answer.status} ${answer.headers.get('content-type')} ${await answer.text()}`
  for (const [kind, name] of Object.entries(names)) shown = shown.replaceAll(name, `{${kind}}`)
  return shown
}

it.each(attempts.flatMap((attempt) => bases.map((base) => ({ ...attempt, base }))))(
  '$what of another tenant under $base is answered as for one that never was',
  async ({ base, ...attempt }) => {
    expect(await answerTo(attempt, base, real)).toBe(await answerTo(attempt, base, unknown))
  },
)

it('a model is called by its tenant, and for another one was never there', async () => {
  const asked: Attempt = {
    what: '',
    method: 'POST',
    path: () => '/chat/completions',
    body: ({ model }) => chat(model),
  }
  expect(await answerTo(asked, '/openai/v1', real)).toBe(await answerTo(asked, '/openai/v1', unknown))
  const own = await clientOfA.chat.completions.create({
    model: real.model,
    messages: [{ role: 'user', content: 'Question 3?' }],
  })
  expect(own.choices[0]?.message.content).toBe('Answer 3.')
})

it('the list of a tenant has its own jobs only', async () => {
  const answer = await fetch(`${stack.baseUrl}/openai/v1${jobs}`, { headers: { 'api-key': b.apiKey } })
  expect(await answer.json()).toEqual({ object: 'list', data: [], has_more: false })
})

it('what was tried has changed nothing of the jobs', async () => {
  expect(await clientOfA.fineTuning.jobs.retrieve(real.waiting)).not.toMatchObject({ status: 'cancelled' })
  expect(await clientOfA.fineTuning.jobs.retrieve(real.job)).toMatchObject({ status: 'succeeded' })
})
