import { validateDataset } from '../../src/datasets/validate-dataset'
import type { ReadingOptions } from '../../src/datasets/dataset-reading'

/** Lines that have no fault, each unlike the others. */
export const supervised = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => {
    const number = from + i
    const question = { role: 'user', content: `Where is order ${number}?` }
    return JSON.stringify({ messages: [question, { role: 'assistant', content: `Order ${number} is on its way.` }] })
  })

export const preferences = (count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      input: { messages: [{ role: 'user', content: `Where is order ${i}?` }] },
      preferred_output: [{ role: 'assistant', content: `Order ${i} is on its way.` }],
      non_preferred_output: [{ role: 'assistant', content: `Order ${i}? Who knows.` }],
    }),
  )

export const questions = (count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({ messages: [{ role: 'user', content: `What is ${i} plus 1?` }], answer: String(i + 1) }),
  )

export const goodLines = { supervised, dpo: preferences, reinforcement: questions }

/** Content in pieces of the given lengths, over and over. */
export async function* inPieces(content: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, n = 0; at < content.length; n++) {
    const end = at + (lengths[n % lengths.length] ?? content.length)
    yield content.subarray(at, end)
    at = end
  }
}

export const validateBytes = (content: Uint8Array, options: Partial<ReadingOptions> = {}, lengths = [64 * 1024]) =>
  validateDataset(inPieces(content, lengths), {
    method: 'supervised',
    baseModel: options.method === 'reinforcement' ? 'o4-mini-2025-04-16' : 'gpt-4.1-2025-04-14',
    role: 'training',
    ...options,
  })

export const validateLines = (lines: readonly string[], options?: Partial<ReadingOptions>) =>
  validateBytes(Buffer.from(lines.map((line) => `${line}\n`).join('')), options)
