import { estimateEpochs } from '../../src/datasets/estimate-epochs'
import { estimatePrice } from '../../src/datasets/estimate-price'
import { readImageHeader } from '../../src/datasets/image-header'
import { imageTokens } from '../../src/datasets/image-tokens'
import { trainingModelOf } from '../../src/datasets/training-models'
import { trainingPrices } from '../../src/datasets/training-prices'
import { questions, supervised, validateLines } from './dataset-parts'
import { imageLine, pngOf } from './violations'

const priced = {
  baseModel: 'gpt-4.1-2025-04-14',
  method: 'supervised',
  type: 'globalstandard',
  marginTokens: 0,
} as const

describe('epochs', () => {
  it.each([
    [0, 0],
    [10, 10],
    [33, 3],
    [100, 3],
    [8_333, 3],
    [10_000, 2],
    [100_000, 1],
    [3, 25],
  ])('of %d examples are estimated as %d', (examples, epochs) => expect(estimateEpochs(examples)).toBe(epochs))
})

describe('a price', () => {
  it('is tokens × epochs × the list’s price, with its source and its day', () => {
    expect(estimatePrice(trainingPrices, { ...priced, tokens: 1_500_000, marginTokens: 10_000, epochs: 3 })).toEqual({
      kind: 'tokens',
      microUsd: 9_000_000,
      marginMicroUsd: 60_000,
      trainedTokens: 4_500_000,
      epochs: 3,
      asOf: trainingPrices.asOf,
      source: trainingPrices.source,
    })
  })

  it('that is not known is said to be unknown, never nothing', () => {
    const training = { ...priced, tokens: 1_000, epochs: 1 }
    expect(estimatePrice(trainingPrices, { ...training, type: 'standard' }).kind).toBe('unknown')
    expect(estimatePrice(trainingPrices, { ...training, baseModel: 'gpt-4o' }).kind).toBe('unknown')
    expect(estimatePrice(trainingPrices, { ...training, method: 'reinforcement' }).kind).toBe('unknown')
  })

  it('of reinforcement is by the hour, whatever the data', async () => {
    const { report } = await validateLines(questions(10), { method: 'reinforcement' })
    expect(report.price).toMatchObject({ kind: 'hours', microUsdPerHour: 100_000_000, pauseMicroUsd: 5_000_000_000 })
    expect(report.epochs).toBe(0)
  })

  it('is for training data alone, with the job’s own epochs where they are given', async () => {
    const options = { trainingType: 'globalstandard', epochs: 7 } as const
    const { report } = await validateLines(supervised(10), options)
    expect(report.price).toMatchObject({ kind: 'tokens', epochs: 7, trainedTokens: 7 * report.tokens.total })
    const validation = await validateLines(supervised(10), { ...options, role: 'validation' })
    expect(validation.report).toMatchObject({ price: undefined, epochs: 0 })
  })

  it('is that of an installation’s own list where it has one', async () => {
    const price = { kind: 'tokens', usdPerMillion: 25 } as const
    const prices = {
      asOf: '2026-11-01',
      source: 'contract',
      prices: [{ family: 'gpt-4.1', methods: ['supervised'], type: 'standard', price }],
    } as const
    const { report } = await validateLines(supervised(10), { prices })
    expect(report.price).toMatchObject({
      kind: 'tokens',
      source: 'contract',
      microUsd: 25 * report.tokens.total * report.epochs,
    })
  })
})

describe('a base model', () => {
  it.each([
    'gpt-4.1',
    'gpt-4.1-2025-04-14',
    'gpt-4.1-2025-04-14.ft-b044a9',
    'gpt-4.1-2025-04-14.ft-b044a9:ckpt-step-10',
  ])('is known as its family: %s', (name) =>
    expect(trainingModelOf(name)).toMatchObject({ exampleTokensMax: 65_536, images: true }),
  )

  it.each(['gpt-9', 'constructor', 'toString', ''])('that nobody knows has no limits: “%s”', (name) =>
    expect(trainingModelOf(name)).toBeUndefined(),
  )
})

describe('an image', () => {
  it.each([
    [{ detail: 'low', size: { width: 4_000, height: 4_000 } }, 85],
    [{ detail: 'high', size: { width: 1_024, height: 1_024 } }, 765],
    [{ detail: 'high', size: { width: 2_048, height: 4_096 } }, 1_105],
    [{ detail: 'high', size: { width: 1, height: 1 } }, 255],
    [{ detail: 'high', size: undefined }, 1_445],
  ] as const)('%j has %d tokens', (image, tokens) => expect(imageTokens(image)).toBe(tokens))

  it('is known by its first bytes, in each format', () => {
    const jpeg = Buffer.concat([
      Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
      Buffer.from('ffc0001108012c01900301220002110103110100', 'hex'),
    ])
    const webp = (chunk: string, rest: string) =>
      Buffer.concat([
        Buffer.from('RIFF\0\0\0\0WEBP', 'latin1'),
        Buffer.from(chunk),
        Buffer.alloc(4),
        Buffer.from(rest, 'hex'),
      ])
    expect(readImageHeader(jpeg)).toEqual({ format: 'jpeg', size: { width: 400, height: 300 }, mode: 'colour' })
    expect(readImageHeader(webp('VP8 ', '0000009d012a90012c01'.padEnd(20, '0')))).toMatchObject({
      size: { width: 400, height: 300 },
    })
    expect(readImageHeader(webp('VP8L', '2f8fc14a00000000000000000000'))).toMatchObject({
      size: { width: 400, height: 300 },
    })
    expect(readImageHeader(webp('VP8X', '000000008f01002b0100'.padEnd(28, '0')))).toMatchObject({
      size: { width: 400, height: 300 },
    })
    expect(readImageHeader(Buffer.alloc(64))).toBeUndefined()
    expect(readImageHeader(Buffer.from('ffd8ff', 'hex'))).toBeUndefined()
  })

  it('counts with the text, and one that is only named as the largest there is', async () => {
    const { report } = await validateLines([
      imageLine(pngOf(2)),
      imageLine('https://a.example/1.png'),
      ...supervised(10),
    ])
    expect(report).toMatchObject({
      valid: true,
      totals: { images: 2, imageExamples: 2 },
      tokens: { images: 255 + 1_445, imagesOfUnknownSize: 1 },
    })
  })
})
