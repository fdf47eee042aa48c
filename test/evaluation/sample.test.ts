import fc from 'fast-check'
import { readHeldOutExample } from '../../src/evaluation/held-out-example'
import { EXAMPLE_BYTES_MAX, ExampleSampler } from '../../src/evaluation/sample-examples'

const line = (answer: string) =>
  Buffer.from(
    JSON.stringify({
      messages: [
        { role: 'user', content: 'Hi', weight: 1 },
        { role: 'assistant', content: answer },
      ],
    }),
  )

function sampled(lines: readonly Uint8Array[], { seed, size }: { seed: number; size: number }) {
  const sampler = new ExampleSampler({ seed, size })
  lines.forEach((bytes, index) => sampler.add(index + 1, bytes))
  return sampler.sample()
}

describe('a sample of a held-out set', () => {
  it('has the asked size or all lines, in their order, and is the same for the same seed', () => {
    fc.assert(
      fc.property(fc.nat(80), fc.integer({ min: 1, max: 40 }), fc.integer(), (count, size, seed) => {
        const lines = Array.from({ length: count }, (_, index) => line(`answer ${index}`))
        const { examples, eligible } = sampled(lines, { seed, size })
        expect(eligible).toBe(count)
        const numbers = examples.map((example) => example.line)
        expect(numbers).toHaveLength(Math.min(count, size))
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
        expect(sampled(lines, { seed, size }).examples).toEqual(examples)
        for (const example of examples) expect(example.wanted).toBe(`answer ${example.line - 1}`)
      }),
    )
  })

  it('of a smaller size is part of one of a larger size', () => {
    const lines = Array.from({ length: 60 }, (_, index) => line(`${index}`))
    const large = new Set(sampled(lines, { seed: 7, size: 30 }).examples.map((example) => example.line))
    const small = sampled(lines, { seed: 7, size: 10 }).examples.map((example) => example.line)
    expect(small.every((number) => large.has(number))).toBe(true)
  })

  it('takes every line as often as every other, over many seeds', () => {
    const lines = Array.from({ length: 10 }, (_, index) => line(`${index}`))
    const counts = new Map<number, number>()
    for (let seed = 0; seed < 2_000; seed++)
      for (const example of sampled(lines, { seed, size: 3 }).examples)
        counts.set(example.line, (counts.get(example.line) ?? 0) + 1)
    // Expected are 600 each; six deviations of 20.5 are 123.
    for (const count of counts.values()) expect(Math.abs(count - 600)).toBeLessThan(123)
    expect(counts.size).toBe(10)
  })

  it('counts what it passes over: what is no conversation, ends with a call of a tool, or is too large', () => {
    const tool = {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', tool_calls: [] },
      ],
    }
    const lines = [
      Buffer.from('{'),
      Buffer.from(JSON.stringify(tool)),
      line('x'.repeat(EXAMPLE_BYTES_MAX)),
      line('kept'),
    ]
    const { examples, passedOver } = sampled(lines, { seed: 1, size: 10 })
    expect(passedOver).toBe(3)
    expect(examples.map(({ wanted }) => wanted)).toEqual(['kept'])
  })
})

describe('a held-out example', () => {
  it('asks what comes before the last answer, without the weights of the training', () => {
    const example = readHeldOutExample(line('Hello').toString())
    expect(example).toEqual({ messages: [{ role: 'user', content: 'Hi' }], tools: undefined, wanted: 'Hello' })
  })

  it.each([
    '[]',
    '{"messages":[{"role":"assistant","content":"alone"}]}',
    '{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}',
    '{"messages":[null,{"role":"assistant","content":"b"}]}',
    '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":""}]}',
  ])('is none of %s', (text) => expect(readHeldOutExample(text)).toBeUndefined())
})
