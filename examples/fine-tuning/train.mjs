// From a file of examples to a model that answers by them, with OpenAI's SDK alone:
//
//   npm start                                 in another terminal
//   node examples/fine-tuning/train.mjs
//
// Elsewhere: TENANTRY_URL=https://… TENANTRY_API_KEY=… node examples/fine-tuning/train.mjs
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import OpenAI from 'openai'

const LOOK_MS = 2_000
const OVER = ['succeeded', 'failed', 'cancelled']
const root = join(import.meta.dirname, '../..')
const client = new OpenAI(target())

const upload = async (name) => {
  const content = createReadStream(join(root, 'examples/datasets', name))
  const { id, bytes } = await client.files.create({ file: content, purpose: 'fine-tune' })
  console.log(`${name} is ${id}, ${bytes} bytes`)
  return id
}

// The request for a job is the consent to send these files to a model account, for this training and nothing else.
const made = await client.fineTuning.jobs.create({
  model: 'gpt-4.1-mini-2025-04-14',
  training_file: await upload('support-training.jsonl'),
  validation_file: await upload('support-validation.jsonl'),
  suffix: 'support',
  method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 3 } } },
})
console.log(`${made.id} trains`)

const job = await followed(made.id)
if (job.status !== 'succeeded') {
  // The message ends with what to do next.
  console.error(`${job.id} ${job.status}. ${job.error?.message ?? ''}`)
  process.exit(1)
}
for (const checkpoint of (await client.fineTuning.jobs.checkpoints.list(job.id)).data)
  console.log(`step ${checkpoint.step_number}: validation loss ${checkpoint.metrics.full_valid_loss ?? 'not measured'}`)

const [system, question] = firstExample('support-validation.jsonl')
const answer = await client.chat.completions.create({ model: job.fine_tuned_model, messages: [system, question] })
console.log(`\n${job.fine_tuned_model}\n> ${question.content}\n${answer.choices[0].message.content}`)

/** The job once it is over; what it says meanwhile is printed as it comes. */
async function followed(id) {
  const said = new Set()
  for (;;) {
    const seen = await client.fineTuning.jobs.retrieve(id)
    const { data: newestFirst } = await client.fineTuning.jobs.listEvents(id, { limit: 100 })
    for (const event of newestFirst.toReversed()) {
      if (event.type === 'message' && !said.has(event.id)) console.log(`  ${event.message}`)
      said.add(event.id)
    }
    if (OVER.includes(seen.status)) return seen
    await pause(LOOK_MS)
  }
}

function firstExample(name) {
  const [line] = readFileSync(join(root, 'examples/datasets', name), 'utf8').split('\n')
  return JSON.parse(line).messages
}

/** What the environment names, or the first tenant of the demo on this machine. */
function target() {
  const { TENANTRY_URL: url, TENANTRY_API_KEY: apiKey } = process.env
  if (url && apiKey) return { baseURL: `${url}/openai/v1`, apiKey }
  const demo = join(root, '.local/demo.json')
  if (!existsSync(demo)) throw new Error('Start the demo with `npm start`, or set TENANTRY_URL and TENANTRY_API_KEY.')
  const { baseUrl, tenants } = JSON.parse(readFileSync(demo, 'utf8'))
  return { baseURL: `${baseUrl}/openai/v1`, apiKey: tenants[0].apiKey }
}
