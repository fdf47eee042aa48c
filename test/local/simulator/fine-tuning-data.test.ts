import type { OpenAI } from 'openai'
import { judgeFiles } from '../../../local/simulator/fine-tuning/judge-files'
import { scanTrainingFile } from '../../../local/simulator/fine-tuning/scan-training-file'
import { loadTokenizer } from '../../../local/simulator/tokens'
import { runningSimulator } from './running'
import { sdkClients } from './sdk-clients'
import { example, jsonl, tenExamples, trainingText, upload } from './training-data'

const simulator = runningSimulator({ fineTuning: { speed: 1_000_000_000 } })
const clients = sdkClients(simulator.url)
const v1 = clients[2][1]
const MODEL = 'gpt-4.1-mini-2025-04-14'

interface Ended {
  readonly id: string
  readonly status: string
  readonly fine_tuned_model: string | null
  readonly error: { code: string; message: string; param: string | null } | null
}

async function ended(client: OpenAI, id: string): Promise<Ended> {
  for (let tries = 0; tries < 1_000; tries++) {
    const job = await client.fineTuning.jobs.retrieve(id)
    if (job.finished_at !== null) return job
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`${id} did not end`)
}
async function train(text: string | Buffer, more: object = {}): Promise<Ended> {
  const client = v1()
  const training_file = await upload(client, text)
  const { id } = await client.fineTuning.jobs.create({ model: MODEL, training_file, ...more })
  return ended(client, id)
}

afterEach(() => simulator.post('/simulator/reset', {}))

const ask = { role: 'user', content: 'a' }
const say = { role: 'assistant', content: 'b' }
const pair = { input: { messages: [ask] }, preferred_output: [say], non_preferred_output: [say] }
const image = (url: string) => ({ role: 'user', content: [{ type: 'image_url', image_url: { url } }] })
const dpo = { method: { type: 'dpo' } }

describe('a job with training data', () => {
  it.each([
    ['no JSON', '{"messages":', {}, 'the line is not valid JSON'],
    ['no object', '[1]', {}, 'the line is not a JSON object'],
    ['no messages', {}, {}, "'messages' is missing"],
    ['an empty list', { messages: [] }, {}, 'at least one message'],
    ['an unknown role', { messages: [{ role: 'poet', content: 'a' }, say] }, {}, "'messages[0].role' must be one of"],
    ['no content', { messages: [{ role: 'user' }, say] }, {}, "'messages[0].content' is missing"],
    ['nothing to learn', { messages: [ask] }, {}, 'no message with the role assistant'],
    ['a weight between', { messages: [ask, { ...say, weight: 0.5 }] }, {}, "'messages[1].weight' must be 0 or 1"],
    ['a weight of a question', { messages: [{ ...ask, weight: 1 }, say] }, {}, 'is for the role assistant only'],
    ['all weights zero', { messages: [ask, { ...say, weight: 0 }] }, {}, 'has the weight 0'],
    ['an answer of no tool', { messages: [{ role: 'tool', content: 'x' }, say] }, {}, 'tool_call_id'],
    [
      'calls whose arguments are no JSON',
      { messages: [ask, { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '{' } }] }] },
      {},
      'arguments that are JSON',
    ],
    ['tools that are none', { messages: [ask, say], tools: ['f'] }, {}, "'tools' must be a list of functions"],
    ['a picture of no kind', { messages: [image('data:image/gif;base64,AA=='), say] }, {}, 'image_url.url'],
    [
      'too many pictures',
      { messages: [...Array.from({ length: 11 }, () => image('https://example.com/a.png')), say] },
      {},
      'has 11 images',
    ],
    ['no preferred answer', { ...pair, preferred_output: undefined }, dpo, "'preferred_output' is missing"],
    ['a preferred question', { ...pair, preferred_output: [ask] }, dpo, 'may have assistant and tool only'],
  ])('with %s fails, naming the line and the reason', async (_name, line, more, reason) => {
    const { status, error, fine_tuned_model } = await train(jsonl(...tenExamples, line), more)
    // Lines of the wrong method are at fault too; the one that this is about is the last.
    expect({ status, fine_tuned_model, code: error?.code, param: error?.param }).toEqual({
      status: 'failed',
      fine_tuned_model: null,
      code: 'jsonlValidationFailed',
      param: 'training_file',
    })
    const last = await train(jsonl(line), more)
    expect(last.error?.message).toContain('Line 1: ')
    expect(last.error?.message).toContain(reason)
    if (more !== dpo) expect(error?.message).toContain(`Line 11: `)
  })

  it('that is not UTF-8 fails', async () => {
    const { error } = await train(Buffer.concat([Buffer.from(`${jsonl(...tenExamples)}\n`), Buffer.from([0xc3, 0x28])]))
    expect(error?.message).toContain('Line 11: the line is not UTF-8.')
  })

  it('of nine examples fails, and of ten does not', async () => {
    const nine = await train(jsonl(...tenExamples.slice(0, 9)))
    expect(nine.error?.message).toBe('The training file has 9 example(s), but must have at least 10 examples.')
    expect((await train(jsonl(...tenExamples))).status).toBe('succeeded')
    expect((await train('\n\n')).error?.message).toContain('The file is empty')
  })

  it('with a byte order mark and empty lines succeeds', async () => {
    expect((await train(`\uFEFF${jsonl(...tenExamples)}\n\n`)).status).toBe('succeeded')
  })

  it('of more text than is counted is charged by the ratio of what was', async () => {
    const tokenizer = await loadTokenizer('o200k_base')
    const scan = { method: 'supervised', grader: undefined, tokenizer, exampleTokensMax: 65_536 } as const
    const line = `${JSON.stringify(example('word '.repeat(4_000), 'yes'))}\n`
    const { tokens: one } = await scanTrainingFile(Buffer.from(line), scan)
    const { tokens, examples } = await scanTrainingFile(Buffer.from(line.repeat(1_000)), scan)
    expect(examples).toBe(1_000)
    expect(Math.abs(tokens / one - 1_000)).toBeLessThan(1)
  })

  it('longer than the model reads is cut', async () => {
    const tokenizer = await loadTokenizer('o200k_base')
    const scan = { method: 'supervised', grader: undefined, tokenizer, exampleTokensMax: 100 } as const
    const long = JSON.stringify(example('word '.repeat(400), 'yes'))
    expect(await scanTrainingFile(Buffer.from(long), scan)).toMatchObject({ tokens: 100, cutExamples: 1 })
  })

  it('names five faulty lines and how many more there are', async () => {
    const { error } = await train(jsonl(...tenExamples, ...Array.from({ length: 8 }, () => 'x')))
    expect(error?.message.match(/Line \d+:/g)).toHaveLength(5)
    expect(error?.message).toContain('3 more lines are invalid.')
  })

  it('whose validation data is faulty fails because of that', async () => {
    const validation_file = await upload(v1(), 'x', 'valid.jsonl')
    const { error } = await train(trainingText, { validation_file })
    expect(error).toMatchObject({ code: 'jsonlValidationFailed', param: 'validation_file' })
  })

  it('that the content policy refuses fails before it is trained on, or after, and is not charged', async () => {
    const harmful = await train(jsonl(...tenExamples, example('[[filter:prompt]]', 'yes')))
    expect(harmful.error).toMatchObject({ code: 'contentFilter', param: 'training_file' })
    expect(harmful.error?.message).toBe(
      'The provided training data failed RAI checks for harm types: [hate_fairness, self_harm, violence]. Please fix the data and try again.',
    )
    const model = await train(jsonl(...tenExamples, example('say it', '[[filter:completion]]')))
    expect(model.error?.message).toContain('The fine-tuned model failed RAI checks')
    const { charges } = (await (await fetch(simulator.url('/simulator/costs'))).json()) as { charges: unknown[] }
    expect(charges).toEqual([])
  })

  it('that would take more tokens than a job may is refused', () => {
    const training = { examples: 10, tokens: 1_000_000_001, faults: [], faultyLines: 0, learned: [], cutExamples: 0 }
    const files = { training: { ...training, filters: new Set<never>() }, validation: undefined }
    const order = (n_epochs: number) => ({
      hyperparameters: { n_epochs, batch_size: 'auto' as const, learning_rate_multiplier: 'auto' as const },
    })
    expect(judgeFiles(order(1), files)).toBeUndefined()
    expect(judgeFiles(order(2), files)).toMatchObject({ code: 'quotaExceeded' })
  })

  it('fails with its last event saying why', async () => {
    const { id, error } = await train('x')
    const [last] = (await v1().fineTuning.jobs.listEvents(id)).data
    expect(last).toMatchObject({ level: 'error', message: error?.message })
  })
})

describe('where faulty files are errors by themselves', () => {
  it('a file is an error that says why, and no job takes it', async () => {
    await simulator.patch({ fineTuning: { faultyFiles: 'are-errors' } })
    const client = v1()
    const good = await client.files.waitForProcessing(await upload(client, trainingText), { pollInterval: 5 })
    expect(good.status).toBe('processed')
    const id = await upload(client, 'x')
    const file = await client.files.waitForProcessing(id, { pollInterval: 5 })
    expect(file).toMatchObject({ status: 'error' })
    expect((file as { status_details?: string }).status_details).toContain('jsonlValidationFailed: ')
    await expect(client.fineTuning.jobs.create({ model: MODEL, training_file: id })).rejects.toMatchObject({
      status: 400,
      param: 'training_file',
    })
  })
})

describe('a request for a job', () => {
  const none = `file-${'0'.repeat(32)}`
  it.each([
    [{ model: undefined }, 'model'],
    [{ model: 'text-embedding-3-small' }, 'model'],
    [{ model: `${MODEL}.ft-${'0'.repeat(32)}` }, 'model'],
    [{ training_file: none }, 'training_file'],
    [{ validation_file: none }, 'validation_file'],
    [{ suffix: 'x'.repeat(41) }, 'suffix'],
    [{ suffix: 'no spaces' }, 'suffix'],
    [{ seed: -1 }, 'seed'],
    [{ integrations: [{ type: 'wandb', wandb: { project: 'p' } }] }, 'integrations'],
    [{ method: { type: 'reinforcement', reinforcement: {} } }, 'method.type'],
    [{ model: 'gpt-4o-mini-2024-07-18', method: { type: 'dpo' } }, 'method.type'],
    [{ hyperparameters: { n_epochs: 0 } }, 'hyperparameters.n_epochs'],
    [{ hyperparameters: { batch_size: 257 } }, 'hyperparameters.batch_size'],
    [
      { method: { type: 'supervised', supervised: { hyperparameters: { learning_rate_multiplier: 'much' } } } },
      'method.supervised.hyperparameters.learning_rate_multiplier',
    ],
    [{ method: { type: 'dpo', dpo: { hyperparameters: { beta: 3 } } } }, 'method.dpo.hyperparameters.beta'],
    [{ trainingType: 'express' }, 'trainingType'],
    [{ metadata: { number: 1 } }, 'metadata.number'],
  ])('with %j is refused and names the parameter', async (more, param) => {
    const training_file = await upload(v1(), trainingText)
    const answer = await simulator.post('/openai/v1/fine_tuning/jobs', { model: MODEL, training_file, ...more })
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param } }])
    const path = '/openai/fine_tuning/jobs?api-version=2024-10-21'
    const classic = await simulator.post(path, { model: MODEL, training_file, ...more })
    expect(await classic.json()).toMatchObject({ error: { code: 'invalidPayload', target: param } })
    expect((await simulator.things()).filter(({ collection }) => collection === 'jobs')).toEqual([])
  })

  it('takes the older hyperparameters, -1 for auto, and any case of the training type', async () => {
    const hyperparameters = { n_epochs: -1, batch_size: 2, learning_rate_multiplier: 0.5, prompt_loss_weight: 0.1 }
    const job = await train(trainingText, { hyperparameters, trainingType: 'GlobalStandard' })
    expect(job).toMatchObject({
      status: 'succeeded',
      hyperparameters: { n_epochs: 5, batch_size: 2, learning_rate_multiplier: 0.5 },
      trainingType: 'globalstandard',
    })
  })

  it('for a file of another purpose, or one that is not there yet, is refused', async () => {
    const client = v1()
    const file = new File([trainingText], 'a.jsonl')
    const { id } = await client.files.create({ purpose: 'batch', file })
    const create = (training_file: string) => client.fineTuning.jobs.create({ model: MODEL, training_file })
    await expect(create(id)).rejects.toThrow("has the purpose 'batch', not 'fine-tune'")
    await simulator.patch({ files: { processingMs: 60_000 } })
    await expect(create(await upload(client, trainingText))).rejects.toThrow("is in the state 'pending'")
  })

  it.each([
    [{ type: 'poem' }, 'type'],
    [{ type: 'string_check', operation: 'near' }, 'operation'],
    [{ type: 'text_similarity', evaluation_metric: 'vibes' }, 'evaluation_metric'],
    [{ type: 'score_model', model: 'gpt-2' }, 'model'],
    [{ type: 'python', source: 'print(1)' }, 'source'],
    [{ type: 'multi', graders: { a: { type: 'poem' } }, calculate_output: 'a' }, 'graders.a.type'],
  ])('with the grader %j is refused', async (grader, field) => {
    const client = v1()
    const training_file = await upload(client, trainingText)
    const method = { type: 'reinforcement', reinforcement: { grader } }
    const body = { model: 'o4-mini', training_file, validation_file: training_file, method }
    const answer = await simulator.post('/openai/v1/fine_tuning/jobs', body)
    expect(await answer.json()).toMatchObject({ error: { param: `method.reinforcement.grader.${field}` } })
  })
})

describe('a file that an unfinished job reads', () => {
  it('stays, unless it is said that it need not; then the job fails when its turn comes', async () => {
    await simulator.patch({ fineTuning: { speed: 0 } })
    const client = v1()
    const training_file = await upload(client, trainingText)
    const { id } = await client.fineTuning.jobs.create({ model: MODEL, training_file })
    await expect(client.files.delete(training_file)).rejects.toMatchObject({ status: 409 })
    await simulator.patch({ fineTuning: { filesInUse: 'deleted' } })
    await client.files.delete(training_file)
    await simulator.patch({ fineTuning: { speed: 1_000_000_000 } })
    expect((await ended(client, id)).error).toMatchObject({ code: 'notFound', param: 'training_file' })
  })
})

describe('a job that is struck', () => {
  it.each(['validating', 'queued', 'starting', 'training', 'finishing'])(
    'while %s fails as it is told to',
    async (at) => {
      await simulator.patch({
        fineTuning: { faults: [{ at, code: 'serviceUnavailable', message: 'gone dark', step: 3 }] },
      })
      const struck = await train(trainingText)
      expect(struck).toMatchObject({ status: 'failed', error: { code: 'serviceUnavailable', message: 'gone dark' } })
      expect((await train(trainingText)).status).toBe('succeeded')
    },
  )

  it.each(['validating', 'queued', 'starting', 'training', 'finishing'])(
    'while %s is lost, and nothing of it is left',
    async (at) => {
      await simulator.patch({ fineTuning: { faults: [{ kind: 'lose', at, step: 40 }] } })
      await expect(train(trainingText)).rejects.toMatchObject({ status: 404 })
      const kinds = (await simulator.things()).map(({ collection }) => collection)
      expect(kinds).toEqual(['files'])
    },
  )

  it.each(['validating', 'queued', 'starting', 'training', 'finishing'])(
    'while %s stays there until it is cancelled',
    async (at) => {
      await simulator.patch({ fineTuning: { concurrentJobsMax: 1, faults: [{ kind: 'stick', at }] } })
      const client = v1()
      const training_file = await upload(client, trainingText)
      const { id } = await client.fineTuning.jobs.create({ model: MODEL, training_file })
      await simulator.post('/simulator/advance', { trainingSeconds: 86_400 })
      const before = await client.fineTuning.jobs.retrieve(id)
      expect(before.finished_at).toBeNull()
      expect((await client.fineTuning.jobs.cancel(id)).status).toBe('cancelled')
      expect((await train(trainingText)).status).toBe('succeeded')
    },
  )

  it.each([
    ['reset', 0],
    ['reset-after-headers', 1],
    ['cut', 1],
    ['status:500', 0],
  ])('in the answer to its creation by %s is there or not as with the service', async (kind, jobs) => {
    const client = v1()
    const training_file = await upload(client, trainingText)
    for (const path of ['/openai/v1/fine_tuning/jobs', '/openai/fine_tuning/jobs?api-version=2024-10-21']) {
      await simulator.patch({ storedFaults: { 'fine_tuning.jobs.create': [{ kind, next: 1 }] } })
      const answer = simulator.post(path, { model: MODEL, training_file }).then(async (each) => {
        if (!each.ok) throw new Error('refused')
        return each.text()
      })
      await expect(answer).rejects.toThrow()
    }
    expect((await simulator.things()).filter(({ collection }) => collection === 'jobs')).toHaveLength(jobs * 2)
  })

  it('is recorded by what was asked for', async () => {
    const { last } = await simulator.ledger()
    const client = v1()
    const training_file = await upload(client, trainingText)
    const { id } = await client.fineTuning.jobs.create({ model: MODEL, training_file })
    await client.fineTuning.jobs.listEvents(id)
    await client.fineTuning.jobs.checkpoints.list(id)
    const records = await simulator.recorded(last, 4)
    expect(records.map(({ operation, answerId }) => [operation, answerId])).toEqual([
      ['files.create', training_file],
      ['fine_tuning.jobs.create', id],
      ['fine_tuning.jobs.events', id],
      ['fine_tuning.jobs.checkpoints', id],
    ])
  })
})
