import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { ExampleHasher } from '../../src/datasets/example-hash'
import { ExampleParts } from '../../src/datasets/example-parts'
import { ExampleSketch } from '../../src/datasets/example-sketch'
import { findLeakage } from '../../src/datasets/find-leakage'
import { supervised, validateLines } from './dataset-parts'

const line = (content: string, answer = 'Yes.') =>
  JSON.stringify({
    messages: [
      { role: 'user', content },
      { role: 'assistant', content: answer },
    ],
  })
const partsOf = (text: string) => {
  const parts = new ExampleParts()
  parts.add(text, 'user')
  return parts
}
const hasher = new ExampleHasher()
const hash = (text: string) => hasher.hash(partsOf(text))
/** As good as chance, and the same in every run. */
const hashOfNumber = (number: number) => {
  const digest = createHash('sha256').update(String(number)).digest()
  return { high: digest.readUInt32LE(0), low: digest.readUInt32LE(4) }
}

const inOrder = (sketch: ExampleSketch) => [...sketch.entries()].sort((a, b) => a.firstLine - b.firstLine)

describe('duplicates', () => {
  it('are exact byte for byte, and normalized where only case, space, order of keys or escapes differ', async () => {
    const reordered = '{"messages":[{"content":"Is it Café?","role":"user"},{"content":"Yes.","role":"assistant"}]}'
    const { duplicates } = (
      await validateLines([
        line('Is it Café?'),
        ...supervised(10),
        line('Is it Café?'),
        line('is  it\nCAFÉ?'),
        reordered,
      ])
    ).report
    expect(duplicates).toEqual({
      exact: { lines: 1, margin: 0 },
      normalized: { lines: 3, margin: 0 },
      pairs: [
        { line: 12, firstLine: 1, exact: true },
        { line: 13, firstLine: 1, exact: false },
        { line: 14, firstLine: 1, exact: false },
      ],
    })
  })

  it('are not what another speaker says, what is split elsewhere, or another image', async () => {
    const image = (url: string) =>
      JSON.stringify({
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url } }] },
          { role: 'assistant', content: 'Yes.' },
        ],
      })
    const lines = [
      line('a', 'b'),
      line('b', 'a'),
      line('ab', 'a'),
      line('a', 'ba'),
      image('https://a.example/1'),
      image('https://a.example/2'),
    ]
    const { duplicates } = (await validateLines([...lines, ...supervised(10)])).report
    expect(duplicates.normalized.lines).toBe(0)
  })

  it('have one hash whatever the compatible form, and however long they are', () => {
    expect(hash('ＡＢＣ ﬁ')).toEqual(hash('abc fi'))
    expect(hash('e\u0301')).toEqual(hash('é'))
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 3 }), (text, gaps) => {
        const spread = text.replaceAll(' ', ' '.repeat(gaps + 1))
        expect(hash(`: ${spread}\n`)).toEqual(hash(`:${text}`))
      }),
    )
    const long = 'Lorem ipsum dolor. '.repeat(20_000)
    expect(hash(long.toUpperCase())).toEqual(hash(long))
    expect(hash(`${long}.`)).not.toEqual(hash(long))
  })

  it('are not found among thirty thousand texts that differ in one place', () => {
    const seen = new Set<string>()
    for (let number = 0; number < 30_000; number++) {
      const { high, low } = hash(`order ${number} of the shop in the street where nobody lives`)
      seen.add(`${high}.${low}`)
    }
    expect(seen.size).toBe(30_000)
  })
})

describe('a sketch of examples', () => {
  it('counts repeats exactly up to its bound', () => {
    const sketch = new ExampleSketch(2_000)
    for (let number = 0; number < 3_000; number++) sketch.add(hashOfNumber(number % 1_500), number + 1)
    expect(sketch.repeats()).toEqual({ lines: 1_500, margin: 0 })
    expect(sketch.firstLineOf(hashOfNumber(7))).toBe(8)
  })

  it('holds no more than its bound, and beyond it estimates within the margin that it states', () => {
    const sketch = new ExampleSketch(2_000)
    for (let number = 0; number < 60_000; number++) sketch.add(hashOfNumber(number % 40_000), number + 1)
    const { lines, margin } = sketch.repeats()
    expect([...sketch.entries()].length).toBeLessThanOrEqual(2_000)
    expect(margin).toBeGreaterThan(0)
    expect(margin).toBeLessThan(4_000)
    expect(Math.abs(lines - 20_000)).toBeLessThan(margin)
  })

  it('is the same after it has been written and read', () => {
    const sketch = new ExampleSketch()
    for (let number = 0; number < 5_000; number++) sketch.add(hashOfNumber(number % 3_000), number + 1)
    const read = ExampleSketch.decode(sketch.encode())
    expect(read.repeats()).toEqual(sketch.repeats())
    expect(inOrder(read)).toEqual(inOrder(sketch))
    expect(() => ExampleSketch.decode(Buffer.from('something else, 16'))).toThrow('assertion failed')
    expect(() => ExampleSketch.decode(sketch.encode().subarray(0, -3))).toThrow('assertion failed')
  })

  it('is not held up by hashes that were crafted to collide, and says how many found no place', () => {
    const sketch = new ExampleSketch()
    for (let number = 0; number < 5_000; number++) sketch.add({ high: number, low: 7 }, number + 1)
    expect([...sketch.entries()].length + sketch.unplaced).toBe(5_000)
    expect(sketch.unplaced).toBeGreaterThan(4_000)
  })
})

describe('leakage', () => {
  it('names the lines of the validation dataset that the training dataset has too', async () => {
    const training = await validateLines(supervised(100))
    const validation = await validateLines(
      [...supervised(20, 500), supervised(1, 41).join('').toUpperCase(), ...supervised(2, 7)],
      {
        role: 'validation',
      },
    )
    expect(findLeakage(training.sketch, validation.sketch)).toEqual({
      leaked: { lines: 2, margin: 0 },
      pairs: [
        { trainingLine: 8, validationLine: 22 },
        { trainingLine: 9, validationLine: 23 },
      ],
    })
  })

  it('counts every line that is leaked, also those that repeat', () => {
    const [training, validation] = [new ExampleSketch(), new ExampleSketch()]
    for (let number = 0; number < 100; number++) training.add(hashOfNumber(number), number + 1)
    for (let number = 0; number < 60; number++) validation.add(hashOfNumber(90 + (number % 20)), number + 1)
    expect(findLeakage(training, validation).leaked).toEqual({ lines: 30, margin: 0 })
  })

  it('between samples of both is estimated within the margin that is stated', () => {
    const [training, validation] = [new ExampleSketch(4_000), new ExampleSketch(4_000)]
    for (let number = 0; number < 50_000; number++) training.add(hashOfNumber(number), number + 1)
    for (let number = 0; number < 20_000; number++) validation.add(hashOfNumber(40_000 + number), number + 1)
    const { leaked } = findLeakage(training, validation)
    expect(leaked.margin).toBeLessThan(3_000)
    expect(Math.abs(leaked.lines - 10_000)).toBeLessThan(leaked.margin)
  })
})
