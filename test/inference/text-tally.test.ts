import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { TextTally } from '../../src/inference/text-tally'

const tallyOf = (text: string) => {
  const tally = new TextTally('chat')
  const event = `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`
  tally.add(Buffer.from(event).toString('latin1'))
  return tally.tokens()
}

it('text of one word that never ends is counted like any other, and holds nobody up', async () => {
  expect(await tallyOf('x'.repeat(256 * 1024))).toBe(countTokens('x'.repeat(1_024)) * 256)
  expect(await tallyOf('漢'.repeat(60_000))).toBeGreaterThan(50_000)
})

it('a long text is counted within one token for each of its pieces', async () => {
  const text = Array.from({ length: 3_000 }, (_, n) => `word ${n} and, “so on”.`).join(' ')
  const exact = countTokens(text)
  expect(Math.abs((await tallyOf(text)) - exact)).toBeLessThanOrEqual(Math.ceil(text.length / 1_024))
})

it('other calls have their turn while a long text is counted', async () => {
  let turns = 0
  const timer = setInterval(() => (turns += 1), 0)
  await tallyOf('and so on '.repeat(20_000))
  clearInterval(timer)
  expect(turns).toBeGreaterThan(0)
})
