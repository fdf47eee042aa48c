import { toFile, type OpenAI } from 'openai'
import { requestLine } from './batch-world'

/** An alias of a batch deployment. */
export const batchAlias = (name: string, backendId: string, more: object = {}) => ({
  name,
  model: 'gpt-4.1-mini',
  capabilities: ['batch'],
  groups: [{ members: [{ backendId }] }],
  outputTokensMax: 1_000,
  ...more,
})

export async function uploadLines(client: OpenAI, count: number, content = 'Hi [[tokens:5]]') {
  const lines = Array.from({ length: count }, (_, n) => requestLine(`task-${n}`, content, { model: 'night' }))
  return client.files.create({ file: await toFile(Buffer.from(lines.join('\n')), 'in.jsonl'), purpose: 'batch' })
}

const OVER = ['completed', 'failed', 'expired', 'cancelled']
const END_MS_MAX = 240_000

/** The batch once it is over. */
export async function endOf(client: OpenAI, id: string): Promise<OpenAI.Batch> {
  const deadline = Date.now() + END_MS_MAX
  for (;;) {
    const batch = await client.batches.retrieve(id)
    if (OVER.includes(batch.status)) return batch
    if (Date.now() > deadline) throw new Error(`${id} is ${batch.status} after ${END_MS_MAX / 1_000} s`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
