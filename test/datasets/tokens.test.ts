import fc from 'fast-check'
import { countTokens as countByPackage } from 'gpt-tokenizer/encoding/o200k_base'
import { loadTokenCounter, UNBROKEN_CHARACTERS, type CountTokens } from '../../src/datasets/count-tokens'
import { ExampleParts } from '../../src/datasets/example-parts'
import { TokenTally, type LineTokens } from '../../src/datasets/token-tally'
import { datasetLines } from '../../bench/dataset-lines'
import { supervised, validateLines } from './dataset-parts'

const asText = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }
const counted = (text: string) => countByPackage(text, asText)
let count: CountTokens
beforeAll(async () => {
  count = await loadTokenCounter()
})

/** A turn that is taken at once. */
function atOnce(work: Generator<void, LineTokens>): LineTokens {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

const partsOf = (...texts: readonly string[]) => {
  const parts = new ExampleParts()
  for (const text of texts) parts.add(text, 'user')
  return parts
}

describe('tokens', () => {
  it('of any text are as many as the tokenizer’s own', () => {
    const words = fc.stringMatching(/^[ A-Za-z0-9'.,\n日本語éß👩\t-]{0,80}$/u)
    const any = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), words)
    fc.assert(
      fc.property(any, (text) => count(text) === counted(text)),
      { numRuns: 1_000 },
    )
  })

  it('of one unbroken run are as many as the tokenizer’s own', () => {
    for (const text of ['a'.repeat(1_000), '日'.repeat(1_000), ' '.repeat(1_000), '\n'.repeat(1_000), '🎉'.repeat(500)])
      expect([text[0], count(text)]).toEqual([text[0], counted(text)])
  })

  it('of what looks like a special token are those of its text', () => {
    expect(count('<|endoftext|>')).toBe(counted('<|endoftext|>'))
    expect(count('<|endoftext|>')).toBeGreaterThan(1)
  })

  it.each([
    ['The quick brown fox, who was not lazy at all, jumped over 13 dogs. ', 200],
    ['今日は、注文の状況を確認します。発送は明日の予定です、少々お待ちください。', 100],
    ['Ваш заказ уже в пути, доставка завтра. ', 200],
    ['주문하신 상품은 내일 도착합니다. ', 200],
    ['const order = await find(7)\n  if (!order) return\n', 200],
  ])('of text do not depend on where it is cut into pieces: %s', (text, times) => {
    const whole = text.repeat(times)
    expect(atOnce(new TokenTally(count).add(partsOf(whole)))).toEqual({ tokens: counted(whole), exact: true })
  })

  it('of text without gaps are off by at most two for each piece', () => {
    const text = '這是一個沒有空格的句子'.repeat(300)
    const { tokens } = atOnce(new TokenTally(count).add(partsOf(text)))
    expect(Math.abs(tokens - counted(text))).toBeLessThanOrEqual(2 * Math.ceil(text.length / UNBROKEN_CHARACTERS))
  })

  it('of a file are those of its messages, by who speaks, and three for each message and example, one for a name', async () => {
    const tools = [{ type: 'function', function: { name: 'find', parameters: { type: 'object' } } }]
    const call = { id: 'c', type: 'function', function: { name: 'find', arguments: '{"order":7}' } }
    const line = JSON.stringify({
      tools,
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', name: 'Ann', content: 'Where is order 7?' },
        { role: 'assistant', content: 'I look.', weight: 0 },
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c', content: 'on its way' },
        { role: 'assistant', content: 'It is on its way.' },
      ],
    })
    const { tokens } = (await validateLines([line])).report
    const sum = (...texts: string[]) => texts.reduce((all, text) => all + counted(text), 0)
    expect(tokens.byClass).toEqual({
      system: sum('Be brief.'),
      user: sum('Ann', 'Where is order 7?'),
      assistant: sum('find', '{"order":7}', 'It is on its way.'),
      unlearned: sum('I look.'),
      tool: sum('on its way'),
      definitions: sum(JSON.stringify(tools)),
    })
    expect(tokens).toMatchObject({ framing: 6 * 3 + 3 + 1, images: 0, margin: 0 })
    expect(tokens.total).toBe(Object.values(tokens.byClass).reduce((a, b) => a + b) + tokens.framing)
  })

  it('of a file too large to count whole are estimated, and the margin that is stated holds', () => {
    const tally = new TokenTally(count)
    let exact = 0
    let bytes = 0
    for (const line of datasetLines()) {
      const { messages } = JSON.parse(line) as { messages: { content?: string }[] }
      const parts = partsOf(...messages.map(({ content = '' }) => content))
      for (const text of parts.texts) exact += counted(text)
      bytes += parts.texts.reduce((sum, text) => sum + text.length, 0)
      atOnce(tally.add(parts))
      if (bytes > 3_500_000) break
    }
    const { total, margin } = tally.report()
    expect(margin).toBeGreaterThan(0)
    expect(margin / total).toBeLessThan(0.01)
    // The same file draws the same sample: this holds always or never.
    expect(Math.abs(total - exact)).toBeLessThan(margin)
  })

  it('of an example far from the bound are looked at in places, close to it counted whole', () => {
    const tally = new TokenTally(count)
    const words = (number: number) => partsOf('word '.repeat(number))
    expect(atOnce(tally.measure(words(30_000), 65_536)).tokens).toBeLessThan(65_536)
    expect(atOnce(tally.measure(words(300_000), 65_536)).tokens).toBeGreaterThan(65_536)
    for (const number of [65_000, 65_536, 66_000])
      expect(atOnce(tally.measure(words(number), 65_536))).toEqual({
        tokens: counted('word '.repeat(number)),
        exact: true,
      })
  })

  it('of the longest example are named with its line', async () => {
    const long = JSON.stringify({ messages: [{ role: 'assistant', content: 'word '.repeat(500) }] })
    const { longestExample } = (await validateLines([...supervised(5), long, ...supervised(5, 5)])).report
    expect(longestExample).toEqual({ line: 6, tokens: counted('word '.repeat(500)) + 6, exact: true })
  })
})
