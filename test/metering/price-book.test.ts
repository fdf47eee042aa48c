import { createPriceBook } from '../../src/metering/price-book'
import { listPrices } from '../../src/metering/prices'
import { noTokens } from '../../src/metering/usage-record'

const AT = Date.UTC(2026, 10, 1)

describe('the price book', () => {
  const book = createPriceBook()

  it('prices prompt, cached and output tokens apart, and cached ones as part of the prompt', () => {
    // gpt-4.1-mini: 0.40, 0.10 and 1.60 USD per million.
    const usage = { promptTokens: 1_000_000, cachedTokens: 250_000, outputTokens: 500_000, reasoningTokens: 100_000 }
    expect(book.costOf('gpt-4.1-mini', usage, AT)).toBe(750_000 * 0.4 + 250_000 * 0.1 + 500_000 * 1.6)
  })

  it('gives whole micro-USD, rounded once', () => {
    // 3 × 0.4 + 2 × 1.6 = 4.4 micro-USD
    expect(book.costOf('gpt-4.1-mini', { ...noTokens, promptTokens: 3, outputTokens: 2 }, AT)).toBe(4)
  })

  it('charges cached input as input where the model has no cached price', () => {
    const usage = { ...noTokens, promptTokens: 1_000_000, cachedTokens: 400_000 }
    expect(book.costOf('gpt-5-pro', usage, AT)).toBe(15_000_000)
  })

  it('never gets cheaper by a report of more cached tokens than prompt tokens', () => {
    const usage = { ...noTokens, promptTokens: 1_000_000, cachedTokens: 9_000_000 }
    expect(book.costOf('gpt-4.1', usage, AT)).toBe(500_000)
  })

  it('prices a whole call higher once its prompt is long', () => {
    const cost = (promptTokens: number) => book.costOf('gpt-5.4', { ...noTokens, promptTokens }, AT)
    expect(cost(272_000)).toBe(272_000 * 2.5)
    expect(cost(272_001)).toBe(272_001 * 5)
  })

  it('prices a dated release as its family', () => {
    const usage = { ...noTokens, promptTokens: 1_000_000 }
    expect(book.costOf('gpt-4.1-mini-2025-04-14', usage, AT)).toBe(book.costOf('gpt-4.1-mini', usage, AT))
  })

  it('has no price for a model that it does not list, rather than a price of nothing', () => {
    expect(book.costOf('llama-of-our-own', { ...noTokens, promptTokens: 5 }, AT)).toBeUndefined()
  })

  it('takes half for a request in a batch, of every part of it and of the long prompt’s price too', () => {
    const parts = { ...noTokens, promptTokens: 3_000_000, cachedTokens: 1_000_000, outputTokens: 1_000_000 }
    expect(book.batchCostOf('gpt-4.1-mini', parts, AT)).toBe(800_000 / 2 + 100_000 / 2 + 1_600_000 / 2)
    const long = { ...noTokens, promptTokens: 300_000, outputTokens: 100_000 }
    expect(book.batchCostOf('gpt-5.5', long, AT)).toBe((book.costOf('gpt-5.5', long, AT) ?? 0) / 2)
    expect(book.batchCostOf('llama-of-our-own', parts, AT)).toBeUndefined()
  })

  it('takes the price of the day on which the call came in', () => {
    const dated = createPriceBook({
      asOf: '2026-06-01',
      source: 'a test',
      batchShare: 0.5,
      models: {
        m: [
          { from: '2026-01-01', input: 1, output: 0 },
          { from: '2026-06-01', input: 2, output: 0 },
        ],
      },
    })
    const costAt = (at: string) => dated.costOf('m', { ...noTokens, promptTokens: 1_000_000 }, Date.parse(at))

    expect(costAt('2025-12-31T23:59:59.999Z')).toBeUndefined()
    expect(costAt('2026-05-31T23:59:59.999Z')).toBe(1_000_000)
    expect(costAt('2026-06-01T00:00:00.000Z')).toBe(2_000_000)
  })

  it('lists prices that can be billed: positive, cached no dearer than input, dates that are dates', () => {
    for (const [model, prices] of Object.entries(listPrices.models)) {
      for (const price of prices.flatMap((price) => [price, ...(price.longPrompt ? [price.longPrompt] : [])])) {
        expect({ model, ok: price.input > 0 && price.output >= 0 }).toEqual({ model, ok: true })
        expect(price.cachedInput ?? 0).toBeLessThanOrEqual(price.input)
      }
    }
    expect(Date.parse(listPrices.asOf)).not.toBeNaN()
  })
})
