import { readFileSync } from 'node:fs'
import { eventually } from '../conformance/eventually'
import { makeStamp } from '../harness/azure-resources'
import { chatAlias, startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { supportFiles } from '../tuning/tuning-stack'

/** Lines of the repository's own held-out file. */
const EXAMPLES = 20
const JOB_MS_MAX = 240_000

let stack: TestStack
let tenant: TestTenant
let files: { training: string; heldOut: string }
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_TUNING_POLL_SECONDS: '1' })
  await makeStamp(stack)
  await stack.configureSimulator({ fineTuning: { speed: 6_000, jobsMax: 20 } })
  const [chat, judge] = await Promise.all([stack.makeBackend('gpt-4.1-mini'), stack.makeBackend('gpt-4.1')])
  tenant = await stack.makeTenant({
    aliases: [chatAlias('support', [[chat]]), chatAlias('judge', [[judge]], { model: 'gpt-4.1' })],
  })
  files = { training: await upload(supportFiles.training), heldOut: await upload(supportFiles.validation) }
})
afterAll(() => stack.stop())

interface Answer {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>>
  readonly text: string
}

async function call(method: string, path: string, body?: object): Promise<Answer> {
  const isForm = body instanceof FormData
  const answer = await fetch(stack.baseUrl + path, {
    method,
    headers: { 'api-key': tenant.apiKey, ...(body && !isForm ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
  })
  const text = await answer.text()
  return { status: answer.status, text, json: JSON.parse(text) as Record<string, unknown> }
}

async function upload(path: string): Promise<string> {
  const form = new FormData()
  form.set('purpose', 'fine-tune')
  form.set('file', new Blob([readFileSync(path)]), 'examples.jsonl')
  return String((await call('POST', '/openai/v1/files', form)).json['id'])
}

const JOBS = '/api/tenant/tuning/jobs'
const order = (more: object) => ({
  model: 'gpt-4.1-mini-2025-04-14',
  trainingFile: files.training,
  validationFile: files.heldOut,
  consent: true,
  // Room for all that is asked at once.
  deploy: { sku: 'Standard', capacity: 1_000 },
  ...more,
})

const until = (id: unknown, what: string, is: (job: Answer['json']) => boolean) =>
  eventually(
    `the job ${what}`,
    async () => {
      const { json } = await call('GET', `${JOBS}/${String(id)}`)
      return is(json) ? json : undefined
    },
    JOB_MS_MAX,
  )
const over = (id: unknown) => until(id, 'is over', ({ status }) => ['succeeded', 'failed'].includes(String(status)))

interface Evaluation {
  readonly id: string
  readonly state: string
  readonly result?: { readonly tuned: Scores; readonly base: Scores; readonly gains: Record<string, { low: number }> }
  readonly answers?: readonly object[]
}
type Scores = Readonly<Record<string, number>>

const evaluationsOf = async (modelId: unknown) => {
  const { json } = await call('GET', `/api/tenant/models/${String(modelId)}/evaluations`)
  return json['evaluations'] as readonly Evaluation[]
}

const evaluationOver = (modelId: unknown, id: unknown) =>
  eventually('the evaluation is over', async () => {
    const { json } = await call('GET', `/api/tenant/models/${String(modelId)}/evaluations/${String(id)}`)
    return json['state'] === 'running' ? undefined : (json as unknown as Evaluation)
  })

/** Calls of evaluations in the tenant's usage, by alias. */
async function metered(): Promise<Readonly<Record<string, number>>> {
  const { json } = await call('GET', '/api/tenant/usage?groupBy=alias,operation,outcome')
  const rows = json['rows'] as readonly { alias: string; operation: string; outcome: string; calls: number }[]
  const own = rows.filter(({ operation }) => operation === 'evaluation.chat.completions')
  expect(own.filter(({ outcome }) => outcome !== 'completed')).toEqual([])
  return Object.fromEntries(own.map(({ alias, calls }) => [alias, calls]))
}

/** Of the first job's model, which other tests need no other of. */
let trained: unknown

describe('a job with a gate', () => {
  it('passes a threshold where the model is surely better than its base over the held-out file, and each call is metered', async () => {
    const gate = { kind: 'threshold', metric: 'token_f1_gain_low', scoreMin: 0.2 }
    const before = await metered()
    const made = await call('POST', JOBS, order({ gate }))
    expect(made.status).toBe(201)
    const job = await over(made.json['id'])
    expect(job).toMatchObject({ status: 'succeeded' })
    trained = job['modelId']
    const [found, ...others] = await evaluationsOf(job['modelId'])
    expect(others).toEqual([])
    expect(found).toMatchObject({
      state: 'completed',
      fileId: files.heldOut,
      sample: { examples: EXAMPLES, eligible: EXAMPLES, passedOver: 0 },
      result: { examples: EXAMPLES, unanswered: 0, baseAlias: 'support', tuned: { json_valid: 1 } },
    })
    const { tuned, base, gains } = found?.result ?? { tuned: {}, base: {}, gains: {} }
    expect(tuned['token_f1']).toBeGreaterThan((base['token_f1'] ?? 1) + 0.2)
    expect(gains['token_f1']?.low).toBeGreaterThanOrEqual(0.2)
    await eventually('every call is in the usage', async () => {
      const now = await metered()
      const calls = [now[String(job['tunedModel'])], (now['support'] ?? 0) - (before['support'] ?? 0)]
      return calls.every((count) => count === EXAMPLES) || undefined
    })
    // Nothing of it is an interactive call's: the tenant has made none.
    expect((await call('GET', `/api/tenant/models/${String(job['modelId'])}`)).text).not.toContain('bke_')
  })

  it('fails at a threshold that the model does not reach, says by how much, and keeps the model; also where it was killed', async () => {
    const gate = { kind: 'threshold', metric: 'exact_match', scoreMin: 1 }
    const pid = stack.hostPid()
    await stack.killAt({ function: 'tuning-step', inputHolds: '"step":"gate"', when: 'before' })
    const { id } = (await call('POST', JOBS, order({ gate, evaluate: { fileId: files.heldOut, sampleMax: 10 } }))).json
    await stack.restarted(pid)
    const job = await over(id)
    expect(job).toMatchObject({ status: 'failed', fault: { code: 'conflict' } })
    expect(JSON.stringify(job['fault'])).toMatch(/exact_match is 0(\.\d+)? over 10 examples and had to be 1 or more/)
    const model = await call('GET', `/api/tenant/models/${String(job['modelId'])}`)
    expect(model.json).toMatchObject({ deployment: { state: 'deployed' }, evaluations: [{ examples: 10 }] })
  })

  it('that waits for approval shows what was found before anybody decides; killed on the way it asks nothing twice', async () => {
    const calls = await callsOfDeployments()
    const pid = stack.hostPid()
    await stack.killAt({ function: 'tuning-step', inputHolds: '"step":"evaluate"', when: 'after' })
    const wish = { gate: { kind: 'approval' }, evaluate: { fileId: files.heldOut } }
    const { id } = (await call('POST', JOBS, order(wish))).json
    await stack.restarted(pid)
    const waiting = await until(id, 'waits for approval', (job) => job['waitsForApproval'] === true)
    const [found] = await evaluationsOf(waiting['modelId'])
    expect(found).toMatchObject({ state: 'completed', result: { examples: EXAMPLES } })
    await call('POST', `${JOBS}/${String(id)}/decision`, { approved: true })
    expect(await over(id)).toMatchObject({ status: 'succeeded' })
    expect(await evaluationsOf(waiting['modelId'])).toHaveLength(1)
    const asked = (await callsOfDeployments()) - calls
    // One call more is the deployment's own: whether it answers at all.
    expect(asked).toBe(2 * EXAMPLES + 1)
  })

  it.each<[string, Wish, string]>([
    ['nothing to evaluate with', { validationFile: undefined }, 'gate'],
    ['the file that it trains on', { evaluate: 'training' }, 'evaluate'],
    ['a file of nobody’s', { evaluate: 'nobody' }, 'evaluate.fileId'],
    ['nobody to grade', { evaluate: 'held-out', grader: 'nobody' }, 'evaluate.grader.alias'],
  ])('is refused before it is trained where it has %s', async (_, { evaluate, grader, ...more }, path) => {
    const named = { training: files.training, nobody: `file-${'0'.repeat(26)}`, 'held-out': files.heldOut }
    const gate = { kind: 'threshold', metric: 'token_f1', scoreMin: 0 }
    const asked = evaluate && {
      evaluate: { fileId: named[evaluate], ...(grader ? { grader: { alias: grader, prompt: 'Good?' } } : {}) },
    }
    const refused = await call('POST', JOBS, order({ gate, ...asked, ...more }))
    expect(refused).toMatchObject({ status: 400, json: { errors: [{ path }] } })
  })
})

interface Wish {
  readonly evaluate?: 'training' | 'nobody' | 'held-out'
  readonly grader?: string
  readonly validationFile?: undefined
}

/** Chat calls that the simulator has answered so far, by whichever deployment. */
const callsOfDeployments = async () =>
  (await stack.ledger()).filter(({ operation, outcome }) => operation === 'chat' && outcome === 'completed').length

describe('an evaluation that somebody asks for by itself', () => {
  it('grades answers by an alias of the tenant’s, keeps those that were asked for, and is told to whoever may read them', async () => {
    const modelId = trained ?? (await over((await call('POST', JOBS, order({}))).json['id']))['modelId']
    const before = (await evaluationsOf(modelId)).length
    const path = `/api/tenant/models/${String(modelId)}`
    // By a hint of the simulator's, the grader says the same of everything.
    const grader = { alias: 'judge', prompt: '[[echo:{"score": 5}]]' }
    const wish = { fileId: files.heldOut, sampleMax: 8, grader, answersKept: 2 }
    const begun = await call('POST', `${path}/evaluate`, wish)
    expect(begun).toMatchObject({ status: 202, json: { state: 'running', modelId } })
    const found = await evaluationOver(modelId, begun.json['id'])
    expect(found).toMatchObject({
      state: 'completed',
      result: { examples: 8, graderAlias: 'judge', tuned: { grade: 0.5 }, base: { grade: 0.5 } },
    })
    expect(found.answers).toHaveLength(2)
    const key = await call('POST', '/api/tenant/keys', { name: 'reader', scopes: ['read-only'] })
    const asReader = await fetch(`${stack.baseUrl}${path}/evaluations/${found.id}`, {
      headers: { 'api-key': String(key.json['apiKey'] ?? key.json['key'] ?? key.json['secret']) },
    })
    expect(asReader.status).toBe(200)
    expect(Object.keys((await asReader.json()) as object)).not.toContain('answers')

    // Repeated with the same key it is the same one; killed on the way it ends all the same.
    const pid = stack.hostPid()
    await stack.killAt({ function: 'evaluation-step', inputHolds: '"step":"evaluate"', when: 'before' })
    const again = await call('POST', `${path}/evaluate`, { fileId: files.heldOut, sampleMax: 8 }).catch(() => undefined)
    await stack.restarted(pid)
    const second = again?.json['id'] ?? (await evaluationsOf(modelId))[0]?.id
    expect(await evaluationOver(modelId, second)).toMatchObject({ state: 'completed', result: { examples: 8 } })
    const states = (await evaluationsOf(modelId)).map(({ state }) => state)
    expect(states).toEqual(Array.from({ length: before + 2 }, () => 'completed'))
    const log = stack.lines.join('\n')
    for (const secret of ['Sort a customer', 'picture frame']) expect(log).not.toContain(secret)
  })
})
