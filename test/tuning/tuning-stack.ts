import { readFileSync } from 'node:fs'
import type { OpenAI } from 'openai'
import type { KeptThing } from '../../local/simulator/stored/account-store'
import type { TestStack } from '../harness/stack'

/** Questions with their answers, one a line. */
export const lessons = (count: number): Buffer =>
  Buffer.from(
    Array.from({ length: count }, (_, n) =>
      JSON.stringify({
        messages: [
          { role: 'user', content: `Question ${n}?` },
          { role: 'assistant', content: `Answer ${n}.` },
        ],
      }),
    ).join('\n'),
  )

/** The repository's own examples. */
export const supportFiles = {
  training: 'examples/datasets/support-training.jsonl',
  validation: 'examples/datasets/support-validation.jsonl',
}

/** One of them that is trained on: what is asked, and what is taught to be answered. */
export function supportExample() {
  const [line = ''] = readFileSync(supportFiles.training, 'utf8').split('\n')
  const { messages } = JSON.parse(line) as { messages: { role: 'system' | 'user' | 'assistant'; content: string }[] }
  return { asked: messages.slice(0, -1), taught: messages.at(-1)?.content ?? '' }
}

const OVER = ['succeeded', 'failed', 'cancelled']
const END_MS_MAX = 240_000

/** The job once it is over. */
export async function jobEnded(
  client: OpenAI,
  id: string,
  endMsMax = END_MS_MAX,
): Promise<OpenAI.FineTuning.FineTuningJob> {
  const deadline = Date.now() + endMsMax
  for (;;) {
    const job = await client.fineTuning.jobs.retrieve(id)
    if (OVER.includes(job.status)) return job
    if (Date.now() > deadline) throw new Error(`${id} is ${job.status} after ${endMsMax / 1_000} s`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** What accounts keep. */
export async function storedThings({ simulatorUrl }: TestStack): Promise<KeptThing[]> {
  const answer = await fetch(`${simulatorUrl}/simulator/stored`)
  return ((await answer.json()) as { things: KeptThing[] }).things
}
