import type { OpenAI } from 'openai'
import type { FineTuningJob } from 'openai/resources/fine-tuning'
import { runningSimulator } from './running'
import { sdkClients } from './sdk-clients'
import { jsonl, taught, tenExamples, trainingText, upload } from './training-data'

const MODEL = 'gpt-4.1-mini-2025-04-14'
/** What takes the service hours takes no time. */
const AT_ONCE = 1_000_000_000
/** Nothing happens by itself: tests move the clock. */
const simulator = runningSimulator({ fineTuning: { speed: 0 } })
const advance = (trainingSeconds: number) => simulator.post('/simulator/advance', { trainingSeconds })
const clients = sdkClients(simulator.url)
const classic = clients[0][1]
const v1 = clients[2][1]

/** The answers' words are the service's, whose classic family knows more states than the SDK's types. */
type Job = Omit<FineTuningJob, 'status'> & { readonly status: string }

async function start(client: OpenAI, more: Partial<OpenAI.FineTuning.JobCreateParams> = {}, text = trainingText) {
  const training_file = await upload(client, text)
  return (await client.fineTuning.jobs.create({ model: MODEL, training_file, ...more })) as Job
}
const retrieve = async (client: OpenAI, id: string) => (await client.fineTuning.jobs.retrieve(id)) as Job
/** Files are read beside the clock, so that a job's first wait ends when both have. */
async function until(client: OpenAI, id: string, ...statuses: readonly string[]): Promise<Job> {
  for (let tries = 0; tries < 1_000; tries++) {
    const job = await retrieve(client, id)
    if (statuses.includes(job.status)) return job
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`${id} did not become ${statuses.join(' or ')}`)
}
const events = async (client: OpenAI, id: string) =>
  (await Array.fromAsync(client.fineTuning.jobs.listEvents(id, { limit: 7 }))).toReversed()
/** Through validation and the wait for its first step. */
async function toTraining(client: OpenAI, id: string) {
  await advance(60)
  await until(client, id, 'running', 'failed')
  await advance(600)
}
async function finish(client: OpenAI, id: string) {
  await advance(10_000_000)
  return until(client, id, 'succeeded', 'failed')
}

beforeEach(() => simulator.post('/simulator/reset', {}))

describe.each(clients)('fine-tuning: %s', (name, makeClient) => {
  it('trains a model: states, events, checkpoints, results and the model are there when it is done', async () => {
    const client = makeClient()
    const job = await start(client, { suffix: 'support', seed: 105, metadata: { of: 'test' } })
    const waiting = name.includes('classic') ? 'pending' : 'validating_files'
    expect(job).toMatchObject({ object: 'fine_tuning.job', status: waiting, fine_tuned_model: null, seed: 105 })
    expect(job.id).toMatch(/^ftjob-[0-9a-f]{32}$/)

    await toTraining(client, job.id)
    await advance(30 * 5)
    const running = await retrieve(client, job.id)
    expect(running).toMatchObject({ status: 'running', trained_tokens: null, finished_at: null })
    const done = await finish(client, job.id)

    expect(done).toMatchObject({
      status: 'succeeded',
      error: null,
      hyperparameters: { n_epochs: 5, batch_size: 1, learning_rate_multiplier: 1 },
      metadata: { of: 'test' },
      estimated_finish: null,
    })
    expect(done.fine_tuned_model).toMatch(/^gpt-4\.1-mini-2025-04-14\.ft-[0-9a-f]{32}-support$/)
    const told = await events(client, job.id)
    expect(told[0]?.message).toBe('Job enqueued. Waiting for jobs ahead to complete.')
    expect(told[1]?.message).toBe('Job started.')
    expect(told.at(-1)?.message).toBe('Job succeeded.')
    expect(told.find(({ type }) => type === 'metrics')?.message).toMatch(/^Step 10: training loss=\d+\.\d+$/)
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length)

    const checkpoints = await Array.fromAsync(client.fineTuning.jobs.checkpoints.list(job.id, { limit: 2 }))
    expect(checkpoints.map(({ step_number }) => step_number)).toEqual([90, 72, 54])
    expect(checkpoints[0]).toMatchObject({
      object: 'fine_tuning.job.checkpoint',
      fine_tuning_job_id: job.id,
      fine_tuned_model_checkpoint: `${done.fine_tuned_model}:ckpt-step-90`,
      metrics: { step: 90, train_loss: expect.any(Number) as number },
    })
    const results = await client.files.retrieve(done.result_files[0] ?? '')
    expect(results).toMatchObject({ purpose: 'fine-tune-results', filename: 'results.csv' })
    const rows = (await (await client.files.content(results.id)).text()).trim().split('\n')
    expect(rows[0]).toBe(
      'step,train_loss,train_mean_token_accuracy,valid_loss,validation_mean_token_accuracy,full_valid_loss,full_valid_mean_token_accuracy',
    )
    expect(rows).toHaveLength(91)
    const models = await Array.fromAsync(client.models.list())
    expect(models.map(({ id }) => id)).toContain(done.fine_tuned_model)
  })

  it('lists jobs page by page, newest first', async () => {
    const client = makeClient()
    const ids: string[] = []
    for (let count = 0; count < 3; count++) ids.push((await start(client)).id)
    const listed = await Array.fromAsync(client.fineTuning.jobs.list({ limit: 2 }))
    expect(listed.map(({ id }) => id)).toEqual(ids.toReversed())
  })

  it('pauses with a checkpoint, and goes on from it', async () => {
    const client = makeClient()
    const { id } = await start(client)
    await expect(client.fineTuning.jobs.pause(id)).rejects.toThrow()
    await toTraining(client, id)
    await advance(7 * 5)
    expect(((await client.fineTuning.jobs.pause(id)) as Job).status).toBe('pausing')
    await advance(30)
    expect((await retrieve(client, id)).status).toBe('paused')
    const [checkpoint] = await Array.fromAsync(client.fineTuning.jobs.checkpoints.list(id))
    expect(checkpoint?.step_number).toBe(7)
    await advance(10_000)
    expect((await retrieve(client, id)).status).toBe('paused')

    expect(((await client.fineTuning.jobs.resume(id)) as Job).status).toBe('resuming')
    const done = await finish(client, id)
    expect(done.status).toBe('succeeded')
    const steps = (await events(client, id)).filter(({ type }) => type === 'metrics').map(({ message }) => message)
    expect(steps).toHaveLength(9)
  })

  it('is cancelled once, wherever it is', async () => {
    const client = makeClient()
    const waiting = await start(client)
    expect((await client.fineTuning.jobs.cancel(waiting.id)).status).toBe('cancelled')
    await expect(client.fineTuning.jobs.cancel(waiting.id)).rejects.toThrow()
    const training = await start(client)
    await toTraining(client, training.id)
    await advance(50)
    const cancelled = await client.fineTuning.jobs.cancel(training.id)
    expect(cancelled).toMatchObject({ status: 'cancelled', fine_tuned_model: null, result_files: [] })
    expect(cancelled.trained_tokens).toBeGreaterThan(0)
    await expect(client.fineTuning.jobs.resume(training.id)).rejects.toThrow()
  })
})

describe('a job', () => {
  it('has the same course for the same seed and data, and another for another', async () => {
    const client = v1()
    const results = async (seed: number) => {
      const { id } = await start(client, { seed })
      await toTraining(client, id)
      const { result_files } = await finish(client, id)
      return (await client.files.content(result_files[0] ?? '')).text()
    }
    const first = await results(1)
    expect(await results(1)).toBe(first)
    expect(await results(2)).not.toBe(first)
    const losses = first
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => Number(row.split(',')[1]))
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2)
  })

  it('is measured on held-back data where there is some', async () => {
    const client = v1()
    const validation_file = await upload(client, jsonl(...tenExamples.slice(0, 2)), 'valid.jsonl')
    const { id } = await start(client, { validation_file })
    await toTraining(client, id)
    await finish(client, id)
    const [checkpoint] = await Array.fromAsync(client.fineTuning.jobs.checkpoints.list(id))
    expect(checkpoint?.metrics).toMatchObject({
      valid_loss: expect.any(Number) as number,
      full_valid_mean_token_accuracy: expect.any(Number) as number,
    })
  })

  it('takes as long as its tokens and steps do, and says when it will have ended', async () => {
    const client = v1()
    const { id } = await start(client)
    await toTraining(client, id)
    await advance(89 * 5)
    expect((await retrieve(client, id)).status).toBe('running')
    await advance(5 + 119)
    expect((await retrieve(client, id)).status).toBe('running')
    await simulator.patch({ fineTuning: { speed: 0.01 } })
    const estimate = (await retrieve(client, id)).estimated_finish ?? 0
    expect(Math.abs(estimate - Date.now() / 1_000 - 100)).toBeLessThan(30)
    await simulator.patch({ fineTuning: { speed: AT_ONCE } })
    expect((await until(client, id, 'succeeded')).finished_at).toEqual(expect.any(Number))
  })

  it('runs by itself as fast as it is told to', async () => {
    await simulator.patch({ fineTuning: { speed: AT_ONCE } })
    const client = v1()
    const { id } = await start(client)
    expect((await until(client, id, 'succeeded')).status).toBe('succeeded')
  })

  it('trains by preferences', async () => {
    const client = v1()
    const pair = ({ content, kind }: (typeof taught)[number]) => ({
      input: { messages: [{ role: 'user', content }] },
      preferred_output: [{ role: 'assistant', content: kind }],
      non_preferred_output: [{ role: 'assistant', content: 'no idea' }],
    })
    const method = { type: 'dpo' as const, dpo: { hyperparameters: { beta: 0.1, n_epochs: 2 } } }
    const { id } = await start(client, { method }, jsonl(...taught.map(pair)))
    await toTraining(client, id)
    const done = await finish(client, id)
    expect(done).toMatchObject({
      status: 'succeeded',
      method: { type: 'dpo', dpo: { hyperparameters: { beta: 0.1 } } },
    })
  })

  it('trains by a grader, on questions with held-back ones beside them, and is paused when it has cost 5,000 $', async () => {
    const client = v1()
    const lines = jsonl(
      ...taught.map(({ content, kind }) => ({ messages: [{ role: 'user', content }], reference: kind })),
    )
    const grader = {
      type: 'string_check' as const,
      name: 'same',
      operation: 'eq' as const,
      input: '{{sample.output_text}}',
      reference: '{{item.reference}}',
    }
    const method = { type: 'reinforcement' as const, reinforcement: { grader } }
    await expect(start(client, { model: 'o4-mini-2025-04-16', method }, lines)).rejects.toMatchObject({
      param: 'validation_file',
    })
    await simulator.patch({ fineTuning: { stepSecondsMin: 3_600 } })
    const validation_file = await upload(client, lines)
    const { id } = await start(client, { model: 'o4-mini-2025-04-16', method, validation_file }, lines)
    await toTraining(client, id)
    await advance(60 * 3_600)
    expect((await until(client, id, 'paused')).status).toBe('paused')
    const [checkpoint] = await Array.fromAsync(client.fineTuning.jobs.checkpoints.list(id))
    expect(checkpoint?.step_number).toBe(50)
    expect(checkpoint?.metrics).toHaveProperty('train_reward_mean')
    await client.fineTuning.jobs.resume(id)
    expect((await finish(client, id)).status).toBe('succeeded')
  })

  it('trains a tuned model further', async () => {
    const client = v1()
    const first = await start(client)
    await toTraining(client, first.id)
    const model = (await finish(client, first.id)).fine_tuned_model ?? ''
    const second = await start(client, { model }, jsonl(...tenExamples))
    await toTraining(client, second.id)
    const done = await finish(client, second.id)
    expect(done.model).toBe(model)
    expect(done.fine_tuned_model).toMatch(/^gpt-4\.1-mini-2025-04-14\.ft-[0-9a-f]{32}$/)
    expect(done.fine_tuned_model).not.toBe(model)
  })

  it('is 201 with its address in the classic family, where it can be deleted once it is over', async () => {
    const client = classic()
    const training_file = await upload(client, trainingText)
    const path = '/openai/fine_tuning/jobs?api-version=2024-10-21'
    const made = await simulator.post(path, { model: MODEL, training_file })
    const { id } = (await made.json()) as { id: string }
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toContain(`/openai/fine_tuning/jobs/${id}?api-version`)
    const remove = (at: string) => simulator.send('DELETE', at)
    const address = `/openai/fine_tuning/jobs/${id}?api-version=2024-10-21`
    const early = await remove(address)
    expect([early.status, await early.json()]).toMatchObject([409, { error: { code: 'unexpectedEntityState' } }])
    await client.fineTuning.jobs.cancel(id)
    expect((await remove(`/openai/v1/fine_tuning/jobs/${id}`)).status).toBe(404)
    expect((await remove(address)).status).toBe(204)
    await expect(retrieve(client, id)).rejects.toMatchObject({ status: 404 })
  })

  it('finds others by what they are marked with', async () => {
    const client = v1()
    const { id } = await start(client, { metadata: { tenant: 'a' } })
    await start(client, { metadata: { tenant: 'b' } })
    const listed = await Array.fromAsync(client.fineTuning.jobs.list({ metadata: { tenant: 'a' } }))
    expect(listed.map((each) => each.id)).toEqual([id])
  })
})

describe('training on one account', () => {
  it('is for three jobs at once, the others in the order in which they came', async () => {
    const client = v1()
    const ids: string[] = []
    for (let count = 0; count < 5; count++) ids.push((await start(client)).id)
    await advance(60)
    await Promise.all(ids.slice(0, 3).map((id) => until(client, id, 'running')))
    const statuses = async () => Promise.all(ids.map(async (id) => (await retrieve(client, id)).status))
    await until(client, ids[4] ?? '', 'queued')
    expect(await statuses()).toEqual(['running', 'running', 'running', 'queued', 'queued'])
    await client.fineTuning.jobs.cancel(ids[1] ?? '')
    expect(await statuses()).toEqual(['running', 'cancelled', 'running', 'running', 'queued'])
  })

  it('is for five more of the developer type', async () => {
    const client = v1()
    const developer = { trainingType: 'developerTier' } as Partial<OpenAI.FineTuning.JobCreateParams>
    const ids: string[] = []
    for (let count = 0; count < 6; count++) ids.push((await start(client, developer)).id)
    const standard = await start(client)
    await advance(60)
    await until(client, standard.id, 'running')
    await until(client, ids[5] ?? '', 'queued')
    const statuses = await Promise.all(ids.map(async (id) => (await retrieve(client, id)).status))
    expect(statuses).toEqual([...Array.from({ length: 5 }, () => 'running'), 'queued'])
  })

  it.each([
    [{ queuedJobsMax: 2 }, 400],
    [{ jobsMax: 2, quotaStatus: 429 }, 429],
  ])('refuses more jobs than there is room for: %j', async (fineTuning, status) => {
    await simulator.patch({ fineTuning })
    const client = v1()
    await start(client)
    await start(client)
    await expect(start(client)).rejects.toMatchObject({ status, code: 'quotaExceeded' })
  })
})

describe('what training comes to', () => {
  const costs = async () =>
    ((await (await fetch(simulator.url('/simulator/costs'))).json()) as { charges: Record<string, unknown>[] }).charges

  it('is nothing for a job that is cancelled before it trains', async () => {
    const client = v1()
    const { id } = await start(client)
    await advance(60)
    await until(client, id, 'running')
    expect((await client.fineTuning.jobs.cancel(id)).trained_tokens).toBe(0)
    expect(await costs()).toEqual([])
  })

  it('is charged by trained tokens when it succeeds, for what was done when it is cancelled, and not when it fails', async () => {
    const client = v1()
    const succeeded = await start(client)
    const cancelled = await start(client)
    await toTraining(client, succeeded.id)
    await advance(45 * 5)
    const { trained_tokens: half } = await client.fineTuning.jobs.cancel(cancelled.id)
    const { trained_tokens: all } = await finish(client, succeeded.id)
    await simulator.patch({ fineTuning: { faults: [{ at: 'training', step: 20 }] } })
    const failed = await start(client)
    await toTraining(client, failed.id)
    await finish(client, failed.id)

    expect((half ?? 0) * 2).toBe(all)
    expect(await costs()).toMatchObject([
      { kind: 'training', account: 'simulator', jobId: cancelled.id, trainedTokens: half },
      { kind: 'training', account: 'simulator', jobId: succeeded.id, trainedTokens: all, model: MODEL },
    ])
  })
})

describe('what there is', () => {
  it('is listed with jobs, models and checkpoints, until they are deleted', async () => {
    const client = v1()
    const { id } = await start(client)
    await toTraining(client, id)
    const done = await finish(client, id)
    const kinds = async () => Object.groupBy(await simulator.things(), ({ collection }) => collection)
    const before = await kinds()
    expect(before.jobs).toEqual([{ account: 'simulator', collection: 'jobs', id, status: 'succeeded' }])
    expect(before.models?.map((thing) => thing.id)).toEqual([done.fine_tuned_model])
    expect(before.checkpoints).toHaveLength(3)

    for (const thing of [...(before.models ?? []), ...(before.checkpoints ?? [])]) {
      expect(await client.models.delete(thing.id)).toMatchObject({ id: thing.id, deleted: true })
    }
    for (const thing of before.files ?? []) await client.files.delete(thing.id)
    await simulator.send('DELETE', `/openai/fine_tuning/jobs/${id}?api-version=2024-10-21`)
    expect(await simulator.things()).toEqual([])
    await expect(client.models.delete(done.fine_tuned_model ?? '')).rejects.toMatchObject({ status: 404 })
  })
})
