import { toFile, type OpenAI } from 'openai'

/** Things and what they are: enough of each to tell others of the kind by their words. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  billing: ['invoice', 'refund', 'charge', 'payment', 'receipt', 'price'],
  shipping: ['parcel', 'delivery', 'courier', 'tracking', 'address', 'box'],
  account: ['password', 'login', 'profile', 'username', 'email', 'avatar'],
}
const SYSTEM = 'Sort the message.'

const question = (word: string, number: number) => `Message ${number}: my ${word} is not right, about ${word} again`

/** Messages as a call has them. */
export const asked = (content: string) => [
  { role: 'system' as const, content: SYSTEM },
  { role: 'user' as const, content },
]

const all = Object.entries(kinds).flatMap(([kind, words]) =>
  words.flatMap((word, index) => [0, 1].map((round) => ({ kind, content: question(word, index * 2 + round), round }))),
)
/** Of each word one message is trained on and one held back. */
export const taught = all.filter(({ round }) => round === 0)
export const heldBack = all.filter(({ round }) => round === 1)

export const jsonl = (...lines: readonly unknown[]): string =>
  lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')

export const example = (content: string, answer: string) => ({
  messages: [...asked(content), { role: 'assistant', content: answer }],
})
/** Training data that can be learned from. */
export const trainingText = jsonl(...taught.map(({ content, kind }) => example(content, kind)))
/** As many valid lines as a file must have. */
export const tenExamples = Array.from({ length: 10 }, (_each, index) => example(`question ${index}`, `answer ${index}`))

export async function upload(client: OpenAI, text: string | Buffer, filename = 'train.jsonl'): Promise<string> {
  const file = await toFile(typeof text === 'string' ? Buffer.from(text) : text, filename)
  return (await client.files.create({ purpose: 'fine-tune', file })).id
}
