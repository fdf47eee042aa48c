import { encode } from 'gpt-tokenizer/encoding/cl100k_base'
import { runningSimulator } from './running'

const simulator = runningSimulator({
  deployments: { ada: { model: 'text-embedding-ada-002' }, large: { model: 'text-embedding-3-large' } },
})

interface Embeddings {
  data: { index: number; embedding: number[] }[]
  model: string
  usage: { prompt_tokens: number; total_tokens: number }
}
async function embed(input: unknown, more: object = {}, deployment = 'vectors') {
  const answer = await simulator.post(`/openai/deployments/${deployment}/embeddings?api-version=2024-10-21`, {
    input,
    ...more,
  })
  expect(answer.status).toBe(200)
  return (await answer.json()) as Embeddings
}
const vectorOf = async (input: unknown, more: object = {}) => (await embed(input, more)).data[0]?.embedding ?? []
const dot = (one: number[], two: number[]) => one.reduce((sum, value, index) => sum + value * (two[index] ?? 0), 0)

describe('an embedding', () => {
  it('is a unit vector of the model’s size, the same for the same text', async () => {
    const vector = await vectorOf('the harbour at night')
    expect(vector).toHaveLength(1_536)
    expect(dot(vector, vector)).toBeCloseTo(1, 5)
    expect(await vectorOf(['the harbour at night'])).toEqual(vector)
    expect((await embed('x', {}, 'large')).data[0]?.embedding).toHaveLength(3_072)
  })

  it('is the same for a text and for its token ids', async () => {
    const text = 'tokens or text'
    expect(await vectorOf(encode(text))).toEqual(await vectorOf(text))
    expect(await vectorOf([encode(text)])).toEqual(await vectorOf(text))
  })

  it('is near that of a text with the same words, and far from that of another', async () => {
    const question = await vectorOf('how do I reset my password')
    const similar = await vectorOf('how can I reset the password')
    const other = await vectorOf('quarterly revenue by region')
    expect(dot(question, similar)).toBeGreaterThan(0.5)
    expect(dot(question, other)).toBeLessThan(0.2)
  })

  it('is made shorter by dimensions, still a unit vector, and in the direction of the full one', async () => {
    const full = await vectorOf('shorter')
    const short = await vectorOf('shorter', { dimensions: 256 })
    expect(short).toHaveLength(256)
    expect(dot(short, short)).toBeCloseTo(1, 5)
    const scale = (full[0] ?? 0) / (short[0] ?? 1)
    short.forEach((value, index) => expect(value * scale).toBeCloseTo(full[index] ?? 0, 5))
  })

  it('counts its tokens, of all inputs together', async () => {
    const { usage, data } = await embed(['one two', 'three'])
    const tokens = encode('one two').length + encode('three').length
    expect(usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens })
    expect(data.map(({ index }) => index)).toEqual([0, 1])
  })
})

describe('an embeddings request', () => {
  it.each([
    ['no input', {}, 'vectors', 'input'],
    ['an empty text', { input: '' }, 'vectors', 'input'],
    ['an empty list', { input: [] }, 'vectors', 'input'],
    ['too many inputs', { input: Array.from({ length: 2_049 }, () => 'a') }, 'vectors', 'input'],
    ['an input that is too long', { input: 'word '.repeat(8_300) }, 'vectors', 'input'],
    ['dimensions beyond the model’s', { input: 'a', dimensions: 1_537 }, 'vectors', 'dimensions'],
    ['dimensions on a model that has one size', { input: 'a', dimensions: 8 }, 'ada', 'dimensions'],
    ['an unknown format', { input: 'a', encoding_format: 'hex' }, 'vectors', 'encoding_format'],
    ['mixed inputs', { input: ['a', 1] }, 'vectors', 'input[1]'],
  ])('with %s is refused and names the parameter', async (_name, body, deployment, param) => {
    const answer = await simulator.post(`/openai/deployments/${deployment}/embeddings?api-version=2024-10-21`, body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error', param } })
  })
})
