import fc from 'fast-check'
import { readUsage, usageOfAnswer } from '../../src/inference/read-usage'

const answer = (text: string) => usageOfAnswer(Buffer.from(text))
const told = { prompt_tokens: 5, completion_tokens: 2 }
const read = { promptTokens: 5, outputTokens: 2, cachedTokens: 0, reasoningTokens: 0 }

describe('the usage of an answer', () => {
  it('is found wherever it stands, and however it is laid out', () => {
    expect(answer(JSON.stringify({ usage: told, choices: [] }))).toEqual(read)
    expect(answer(JSON.stringify({ choices: [{ text: 'x'.repeat(300_000) }], usage: told }, undefined, 2))).toEqual(
      read,
    )
    expect(answer('{"usage" \n : {"prompt_tokens":5,"completion_tokens":2}}')).toEqual(read)
  })

  it('is not what a text of it quotes, nor an object of another kind', () => {
    expect(answer(JSON.stringify({ text: `"usage":${JSON.stringify(told)}` }))).toBeUndefined()
    expect(answer('{"usage":null,"x":{"prompt_tokens":5}}')).toBeUndefined()
    expect(answer('{"usage":[{"prompt_tokens":5}]}')).toBeUndefined()
  })

  it.each([
    [{ prompt_tokens: -1 }],
    [{ prompt_tokens: 1.5 }],
    [{ prompt_tokens: '5' }],
    [{ prompt_tokens: 9e15 }],
    [{ prompt_tokens: 1e300 }],
    [{ seconds: -1 }],
    [{ seconds: 1e300 }],
    [{ seconds: Infinity }],
    [{ seconds: Number.NaN }],
  ])('is none where no call can have used so much: %j', (usage) => {
    expect(readUsage(usage)).toBeUndefined()
  })

  it('counts what a part cannot be as nothing', () => {
    const usage = { ...told, completion_tokens: 9e15, prompt_tokens_details: { cached_tokens: -7 } }
    expect(readUsage(usage)).toEqual({ ...read, outputTokens: 0 })
  })

  it('of bytes that never end is given up: an answer of megabytes that is nothing else is not searched for each', () => {
    const hostile = Buffer.from('"usage":{'.repeat(2_000_000))
    expect(usageOfAnswer(hostile)).toBeUndefined()
  })

  it('never makes the reader throw', () => {
    const piece = fc.constantFrom('"usage"', ':', '{', '}', '"prompt_tokens":5', ',', '\\', '"', ' ', '[', 'x')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        usageOfAnswer(Buffer.from(pieces.join('')))
      }),
    )
  })
})
