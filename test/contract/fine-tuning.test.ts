import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { promisify } from 'node:util'
import { OpenAI, toFile } from 'openai'
import { OpenAI as OpenAI6 } from 'openai-6'
import { makeStamp, resourcesOf } from '../harness/azure-resources'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { jobEnded, lessons, storedThings, supportExample, supportFiles } from '../tuning/tuning-stack'

let stack: TestStack
let tenant: TestTenant
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_TUNING_POLL_SECONDS: '1' })
  await makeStamp(stack)
  await stack.configureSimulator({ fineTuning: { speed: 6_000 } })
  tenant = await stack.makeTenant()
})
afterAll(() => stack.stop())

/** A status of both services that the SDK's types leave out. */
const pausedStatus = /^paused$/

const sdks = [
  { name: 'openai 7', Client: OpenAI },
  { name: 'openai 6', Client: OpenAI6 as unknown as typeof OpenAI },
]

describe('a fine-tuning job by the SDK alone', () => {
  it.each(sdks)('of $name leads from a file to a model that answers what it was taught', async ({ Client }) => {
    const client = new Client({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: tenant.apiKey })
    const upload = (path: string) => client.files.create({ file: createReadStream(path), purpose: 'fine-tune' })
    const file = await upload(supportFiles.training)
    const heldOut = await upload(supportFiles.validation)
    const made = await client.fineTuning.jobs.create({
      model: 'gpt-4.1-mini-2025-04-14',
      training_file: file.id,
      validation_file: heldOut.id,
      suffix: 'support',
      metadata: { team: 'care' },
      method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 2 } } },
    })
    expect(made).toMatchObject({ status: 'validating_files', fine_tuned_model: null, suffix: 'support' })

    const over = await jobEnded(client, made.id)
    expect(over).toMatchObject({ status: 'succeeded', error: null, training_file: file.id })
    expect(over.validation_file).toBe(heldOut.id)
    expect(over.fine_tuned_model).toMatch(/^gpt-4\.1-mini-2025-04-14\.ft-[0-9a-z]{26}-support$/)
    expect(over.trained_tokens).toBeGreaterThan(0)

    const { asked, taught } = supportExample()
    const answer = await client.chat.completions.create({
      model: over.fine_tuned_model ?? '',
      messages: asked,
    })
    expect(answer.choices[0]?.message.content).toBe(taught)

    const events = await client.fineTuning.jobs.listEvents(made.id, { limit: 100 })
    const said = events.data.map(({ message }) => message)
    expect(said[0]).toBe('The job succeeded.')
    expect(said).toContainEqual(expect.stringContaining('training loss'))
    const checkpoints = await client.fineTuning.jobs.checkpoints.list(made.id)
    expect(checkpoints.data[0]?.metrics).toHaveProperty('full_valid_loss')
    expect(checkpoints.data[0]?.fine_tuned_model_checkpoint).toContain(over.fine_tuned_model ?? 'none')
    const results = await client.files.content(over.result_files[0] ?? '')
    expect(await results.text()).toMatch(/^step,train_loss/)

    const listed = await client.fineTuning.jobs.list({ limit: 1, metadata: { team: 'care' } })
    expect(listed.data.map(({ id }) => id)).toEqual([made.id])
    // Nothing of the account's own shows anywhere.
    const shown = JSON.stringify([over, events.data, checkpoints.data])
    expect(shown).not.toMatch(/ftjob-[0-9a-f]{32}|ft-[0-9a-f]{32}|file-[0-9a-f]{32}/)
  })

  it('leaves neither files nor jobs’ data at the account, one model and one deployment of each', async () => {
    const stored = await storedThings(stack)
    expect(stored.filter(({ collection }) => collection === 'files')).toEqual([])
    expect(stored.filter(({ collection }) => collection === 'models')).toHaveLength(sdks.length)
    const deployed = (await resourcesOf(stack, tenant.tenantId)).filter(({ type }) => type.endsWith('/deployments'))
    expect(deployed).toHaveLength(sdks.length)
  })
})

it('the example of the repository runs as it is written, and its model answers what it was not trained on', async () => {
  const env = { ...process.env, TENANTRY_URL: stack.baseUrl, TENANTRY_API_KEY: tenant.apiKey }
  const { stdout } = await promisify(execFile)(process.execPath, ['examples/fine-tuning/train.mjs'], { env })
  expect(stdout).toContain('Created fine-tuning job.')
  expect(stdout).toContain('The job succeeded.')
  expect(stdout).toMatch(/step \d+: validation loss \d/)
  const [intent = ''] = stdout.trimEnd().split('\n').slice(-1)
  expect(JSON.parse(intent)).toMatchObject({ intent: 'invoice' })
})

describe('a fine-tuning job', () => {
  const client = () => new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: tenant.apiKey })

  it('is paused while it trains, resumed, and cancelled with nothing left of it', async () => {
    await stack.configureSimulator({ fineTuning: { speed: 30 } })
    const before = (await storedThings(stack)).filter(({ collection }) => collection === 'models').length
    const file = await client().files.create({ file: await toFile(lessons(12), 'train.jsonl'), purpose: 'fine-tune' })
    const { id } = await client().fineTuning.jobs.create({ model: 'gpt-4.1-mini-2025-04-14', training_file: file.id })
    await advance(3_600, async () => (await client().fineTuning.jobs.retrieve(id)).status === 'running')
    await client().fineTuning.jobs.pause(id)
    await advance(60, async () => pausedStatus.test((await client().fineTuning.jobs.retrieve(id)).status))
    await client().fineTuning.jobs.resume(id)
    await advance(10, async () => (await client().fineTuning.jobs.retrieve(id)).status === 'running')
    await client().fineTuning.jobs.cancel(id)
    expect(await jobEnded(client(), id)).toMatchObject({ status: 'cancelled', fine_tuned_model: null })
    const stored = await storedThings(stack)
    expect(stored.filter(({ collection }) => collection === 'files')).toEqual([])
    expect(stored.filter(({ collection }) => collection === 'models')).toHaveLength(before)
  })

  /** Moves the training on, bit by bit, until something is so. */
  async function advance(trainingSeconds: number, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 240_000
    while (!(await isSo())) {
      if (Date.now() > deadline) throw new Error('it was not so within four minutes')
      await fetch(`${stack.simulatorUrl}/simulator/advance`, {
        method: 'POST',
        body: JSON.stringify({ trainingSeconds: Math.min(trainingSeconds, 15) }),
      })
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
})
