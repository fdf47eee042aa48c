import { readFileSync } from 'node:fs'
import {
  DATASET_BYTES_MAX,
  EXAMPLE_IMAGES_MAX,
  IMAGE_EXAMPLES_MAX,
  IMAGE_BYTES_MAX,
  LINE_BYTES_MAX,
  LINE_SYMBOLS_MAX,
  TOOLS_MAX,
} from '../../src/datasets/dataset-bounds'
import { loadTokenCounter } from '../../src/datasets/count-tokens'
import { DatasetReading, type ReadingOptions } from '../../src/datasets/dataset-reading'
import { faultCodes, type FaultCode } from '../../src/datasets/fault-codes'
import { LineSplitter } from '../../src/datasets/split-lines'
import { TokenTally } from '../../src/datasets/token-tally'
import { goodLines, supervised, validateBytes, validateLines } from './dataset-parts'
import { imageLine, pngOf, violations } from './violations'

describe('a line that breaks one rule', () => {
  it.each(violations.map((violation) => [violation.code, violation] as const))(
    'is reported as %s, with its number, its place and what would be valid, and others are not',
    async (code, { line, method, path, reason }) => {
      const good = goodLines[method](10)
      const lines = [...good.slice(0, 3), line, ...good.slice(3)]
      const { report } = await validateLines(lines, { method })
      const { severity, valid } = faultCodes[code]
      const byteOffset = good.slice(0, 3).join('\n').length + 1
      expect(report.faults.listed.filter((fault) => fault.code === code)).toEqual([
        { code, severity, line: 4, byteOffset, path, reason, valid },
      ])
      expect(report.faults.listed.every((fault) => fault.line === 4)).toBe(true)
      expect(report.valid).toBe(severity === 'warning')
    },
  )

  it.each(Object.entries(goodLines))('has neighbours without faults: %s', async (method, lines) => {
    const { report } = await validateLines(lines(10), { method: method as keyof typeof goodLines })
    expect(report).toMatchObject({ valid: true, faults: { errors: 0, warnings: 0, listed: [] } })
  })
})

const message = (content: string) =>
  JSON.stringify({
    messages: [
      { role: 'user', content },
      { role: 'assistant', content: 'Yes.' },
    ],
  })
const bytesOf = (lines: readonly string[]) => Buffer.from(lines.join('\n'))

/** Rules of whole files, of bytes and of lines too long to be shown. */
const others: readonly (readonly [FaultCode, () => Buffer, Partial<ReadingOptions>?])[] = [
  ['too_few_examples', () => bytesOf(supervised(9))],
  ['utf16_encoding', () => Buffer.from(`\ufeff${supervised(10).join('\n')}`, 'utf16le')],
  ['not_utf8', () => Buffer.concat([bytesOf(supervised(10)), Buffer.from('\n{"messages":"\xff"}', 'latin1')])],
  ['blank_line', () => bytesOf([...supervised(5), '', ...supervised(5, 5)])],
  ['line_too_long', () => bytesOf([...supervised(10), message('x'.repeat(LINE_BYTES_MAX))])],
  ['line_too_dense', () => bytesOf([...supervised(10), `{"messages":[${'[],'.repeat(LINE_SYMBOLS_MAX)}[]]}`])],
  ['example_too_long', () => bytesOf([...supervised(10), message('word '.repeat(70_000))])],
  ['base_model_unknown', () => bytesOf(supervised(10)), { baseModel: 'gpt-9' }],
  ['method_unsupported', () => bytesOf(goodLines.dpo(10)), { method: 'dpo', baseModel: 'gpt-4o-mini' }],
  [
    'images_unsupported',
    () => bytesOf([...supervised(10), imageLine('https://a.example/1.png')]),
    { baseModel: 'gpt-4.1-mini' },
  ],
  ['too_many_images', () => bytesOf([...supervised(10), imagesLine(EXAMPLE_IMAGES_MAX + 1)])],
  ['image_too_large', () => bytesOf([...supervised(10), imageLine(largePng(IMAGE_BYTES_MAX + 3))])],
  ['too_many_tools', () => bytesOf([...supervised(10), toolsLine(TOOLS_MAX + 1)])],
  ['too_many_image_examples', () => bytesOf(Array.from({ length: IMAGE_EXAMPLES_MAX + 1 }, () => imagesLine(1)))],
  ['trained_tokens_above_limit', () => bytesOf(supervised(10)), { epochs: 100_000_000 }],
]

/** Rules of files that are too large to be made here: what has been read of them is said to be so much. */
const large: readonly (readonly [FaultCode, number, string | undefined])[] = [
  ['file_too_large', DATASET_BYTES_MAX + 1, '00'],
  ['not_read_to_end', DATASET_BYTES_MAX, undefined],
]

function imagesLine(count: number): string {
  const part = { type: 'image_url', image_url: { url: 'https://a.example/1.png' } }
  const content = Array.from({ length: count }, () => part)
  return JSON.stringify({
    messages: [
      { role: 'user', content },
      { role: 'assistant', content: 'Many.' },
    ],
  })
}

function toolsLine(count: number): string {
  const tools = Array.from({ length: count }, (_, i) => ({ type: 'function', function: { name: `f${i}` } }))
  return JSON.stringify({ ...(JSON.parse(message('Hello')) as object), tools })
}

function largePng(bytes: number): string {
  const [start = '', base64 = ''] = pngOf(2).split(',')
  const image = Buffer.concat([Buffer.from(base64, 'base64'), Buffer.alloc(bytes)]).subarray(0, bytes)
  return `${start},${image.toString('base64')}`
}

const page = readFileSync('docs/datasets.md', 'utf8')
const withoutNumbers = (text: string) => text.replace(/\d+/g, 'N')

describe('a file', () => {
  it.each(others.map((other) => [other[0], other] as const))(
    'that breaks a rule is reported as %s, once, and nothing else is',
    async (code, [, content, options]) => {
      const { report } = await validateBytes(content(), options)
      expect(report.faults.countByCode).toEqual({
        ...(code === 'utf16_encoding' ? { too_few_examples: 1 } : {}),
        [code]: 1,
      })
      expect(report.valid).toBe(faultCodes[code].severity === 'warning')
      const reason = report.faults.listed.find((fault) => fault.code === code)?.reason ?? 'none'
      expect(withoutNumbers(page)).toContain(`“${withoutNumbers(reason)}”`)
    },
  )

  it.each(large)('that breaks a rule is reported as %s, once, and nothing else is', async (code, bytes, hash) => {
    const options = { method: 'supervised', baseModel: 'gpt-4.1', role: 'training' } as const
    const reading = new DatasetReading(options, new TokenTally(await loadTokenCounter()))
    const lines = new LineSplitter()
    for (const line of lines.push(Buffer.from(supervised(10).join('\n') + '\n'))) Array.from(reading.add(line))
    const { report } = reading.end(bytes, hash)
    expect(report.faults.countByCode).toEqual({ [code]: 1 })
    expect(report.contentHash).toBe(hash === undefined ? undefined : `sha256:${hash}`)
  })

  it('breaks each rule in at least one test', () => {
    const tested = [
      ...violations.map(({ code }) => code),
      ...others.map(([code]) => code),
      ...large.map(([code]) => code),
    ]
    expect([...new Set(tested)].sort()).toEqual(Object.keys(faultCodes).sort())
  })
})
