import { connectStorage } from '../../src/storage/connect'
import { eventually } from '../conformance/eventually'
import { makeStamp } from '../harness/azure-resources'
import { chatAlias, embedAlias, startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { testConnectionString } from '../harness/storage'
import { dataset } from './drift-world'
import { storedTexts } from './stored-texts'

const PHRASE = 'Занзибар-квокка-4711'
const CALLS = 260
const AT_ONCE = 10

let stack: TestStack
let tenant: TestTenant
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_TUNING_POLL_SECONDS: '1', TENANTRY_DRIFT_FLUSH_SECONDS: '1' })
  await makeStamp(stack)
  const [chat, embed] = await Promise.all([
    stack.makeBackend('gpt-4.1-mini'),
    stack.makeBackend('text-embedding-3-small'),
  ])
  await stack.configureSimulator({ fineTuning: { speed: 6_000 } })
  tenant = await stack.makeTenant({
    aliases: [chatAlias('support', [[chat]]), embedAlias('embed', [[embed]])],
    settings: { drift: { watch: true, topicsAlias: 'embed', callsPerDayMax: 10_000 } },
  })
})
afterAll(() => stack.stop())

async function call<T = Record<string, unknown>>(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; json: T }> {
  const isForm = body instanceof FormData
  const answer = await fetch(stack.baseUrl + path, {
    method,
    headers: { 'api-key': tenant.apiKey, ...(body && !isForm ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
  })
  return { status: answer.status, json: (await answer.json()) as T }
}

async function upload(name: string, content: Buffer): Promise<string> {
  const form = new FormData()
  form.set('purpose', 'fine-tune')
  form.set('file', new Blob([new Uint8Array(content)]), name)
  return (await call<{ id: string }>('POST', '/openai/v1/files', form)).json.id
}

const watchNow = () =>
  fetch(`${stack.baseUrl}/admin/functions/watch-drift`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":""}',
  })

interface Drift {
  readonly verdict: string
  readonly driftedFeatures?: string[]
  readonly baseline: { state: string; requests?: number; topics?: string }
  readonly window: { calls: number; samples: number }
  readonly retraining: { state: string; jobId?: string; why?: string }
  readonly features: { feature: string; stabilityIndex: number; samples: number }[]
  readonly chart: string
}
interface Job {
  readonly id: string
  readonly status: string
  readonly modelId?: string
  readonly tunedModel?: string
}

/** A look each time, since the timer comes once an hour. */
const driftIs = (modelId: string, what: string, isIt: (drift: Drift) => boolean) =>
  eventually(what, async () => {
    await watchNow()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { json } = await call<Drift>('GET', `/api/tenant/models/${modelId}/drift`)
    return isIt(json) ? json : undefined
  })

async function ask(model: string, n: number): Promise<void> {
  const messages = [{ role: 'user', content: `${PHRASE}: где мой заказ номер ${n}? Он не пришёл уже третью неделю.` }]
  const { status } = await call('POST', '/openai/v1/chat/completions', { model, messages, max_tokens: 16 })
  expect(status).toBe(200)
}

describe('drift of a tuned model', () => {
  it('is found by what it is asked, proposes a training and starts it where that is allowed, and keeps no word of it', async () => {
    const file = await upload(
      'support-1.jsonl',
      dataset(220, (n) => `Where is order number ${n}?`),
    )
    const deploy = { sku: 'Standard', capacity: 1_000 }
    const order = { model: 'gpt-4.1-mini-2025-04-14', trainingFile: file, consent: true, deploy }
    const { id } = (await call<Job>('POST', '/api/tenant/tuning/jobs', order)).json
    const job = await eventually('the model is trained', async () => {
      const { json } = await call<Job>('GET', `/api/tenant/tuning/jobs/${id}`)
      return json.status === 'succeeded' ? json : undefined
    })
    const { modelId = '', tunedModel = '' } = job

    await driftIs(
      modelId,
      'its baseline is made',
      ({ baseline }) => baseline.state === 'made' && baseline.topics === 'made',
    )
    for (let n = 0; n < CALLS; n += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => ask(tunedModel, n + at)))
    let more = CALLS
    const drifted = await driftIs(modelId, 'its calls have drifted', ({ verdict, window }) => {
      // The first calls were not measured: nobody waits for what is not known yet.
      if (window.samples < CALLS) void ask(tunedModel, more++).catch(() => {})
      return verdict === 'drifted'
    })
    expect(drifted.driftedFeatures).toContain('scripts')
    expect(drifted.driftedFeatures).toContain('topics')
    expect(drifted.retraining).toMatchObject({ state: 'proposed', why: 'policy' })
    expect(drifted.baseline.requests).toBe(220)
    expect(drifted.chart).toContain('Cyrl')
    const alerts = await stack.platform.get<{ alerts: { id: string }[] }>('/alerts')
    expect(JSON.stringify(alerts.body)).toContain(`drift/${modelId}`)

    const policy = { retrain: { kind: 'start', filenamePrefix: 'support-' } }
    expect((await call('PUT', `/api/tenant/models/${modelId}/drift`, policy)).status).toBe(200)
    await driftIs(modelId, 'there is no newer data', ({ retraining }) => retraining.why === 'no-newer-dataset')
    const newer = await upload(
      'support-2.jsonl',
      dataset(20, (n) => `Где заказ номер ${n}?`),
    )
    const registered = { file: newer, baseModel: 'gpt-4.1-mini-2025-04-14', consent: true }
    expect((await call('POST', '/api/tenant/datasets', registered)).status).toBe(202)
    const started = await driftIs(modelId, 'a training is started', ({ retraining }) => retraining.state === 'started')
    const { json } = await call<{ model: string; training: { fileId: string } }>(
      'GET',
      `/api/tenant/tuning/jobs/${started.retraining.jobId ?? ''}`,
    )
    expect(json).toMatchObject({ model: tunedModel, training: { fileId: newer } })

    // Embeddings are the tenant's own calls, booked as such; and of what was asked there is no word anywhere.
    const storage = connectStorage(
      { kind: 'connection-string', connectionString: testConnectionString() },
      stack.storagePrefix,
    )
    const texts = await storedTexts(storage)
    expect(texts.some((text) => text.includes('drift.embeddings'))).toBe(true)
    const words = [
      PHRASE,
      Buffer.from(PHRASE).toString('latin1'),
      Buffer.from(PHRASE).toString('base64').slice(0, 24),
      Buffer.from(PHRASE, 'utf16le').toString('latin1'),
    ]
    for (const text of texts) for (const word of words) expect(text.includes(word)).toBe(false)
    for (const line of stack.lines) expect(line.includes(PHRASE)).toBe(false)
  })
})
