import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { CODE_FAULTS_LISTED_MAX, FAULTS_LISTED_MAX, LINE_FAULTS_MAX } from '../../src/datasets/dataset-bounds'
import { supervised, validateBytes, validateLines } from './dataset-parts'
import { violations } from './violations'

const BOM = Buffer.from([0xef, 0xbb, 0xbf])
const text = (lines: readonly string[], end = '\n') => Buffer.from(lines.map((line) => `${line}${end}`).join(''))

it('a file is read alike however its bytes come in pieces', async () => {
  const lines = [...supervised(12), ...violations.slice(0, 8).map(({ line }) => line), '{"messages":"å日本👩"}', '']
  const content = Buffer.concat([BOM, text(lines)])
  const { report: whole } = await validateBytes(content, { scanPii: true }, [content.length])
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }), async (lengths) => {
      const { report } = await validateBytes(content, { scanPii: true }, lengths)
      expect(report).toEqual(whole)
    }),
    { numRuns: 40 },
  )
})

it('a file with a byte order mark has the same examples, and offsets that count the mark', async () => {
  const lines = [...supervised(10), '{']
  const [plain, marked] = await Promise.all([
    validateBytes(text(lines)),
    validateBytes(Buffer.concat([BOM, text(lines)])),
  ])
  expect(marked.report.totals.examples).toBe(10)
  expect(marked.report.faults.listed[0]?.byteOffset).toBe((plain.report.faults.listed[0]?.byteOffset ?? 0) + BOM.length)
})

it('ends of lines may be CRLF, and the last may have none', async () => {
  for (const content of [text(supervised(10), '\r\n'), Buffer.from(supervised(10).join('\n'))]) {
    const { report } = await validateBytes(content)
    expect(report).toMatchObject({ valid: true, totals: { lines: 10, examples: 10, bytes: content.length } })
  }
})

it('blank lines are faults, each counted, only where another line follows', async () => {
  const { report } = await validateLines([...supervised(10), '', ' \t', '', ...supervised(1, 10), '', ''])
  expect(report.faults.countByCode).toEqual({ blank_line: 3 })
  expect(report.faults.listed.map(({ line }) => line)).toEqual([11, 12, 13])
  const { report: many } = await validateBytes(Buffer.concat([Buffer.alloc(5_000, '\n'), text(supervised(10))]))
  expect(many.faults).toMatchObject({ errors: 5_000, faultyLines: 5_000, countByCode: { blank_line: 5_000 } })
  expect(many.faults.listed).toHaveLength(CODE_FAULTS_LISTED_MAX)
})

it('one fault in every line leaves room in the list for others, and all are counted', async () => {
  const lines = [...Array.from({ length: 2_000 }, () => '{}'), '[]', ...supervised(10)]
  const { faults } = (await validateLines(lines)).report
  expect(faults.countByCode).toEqual({ missing_key: 2_000, not_an_object: 1 })
  expect(faults.listed).toHaveLength(CODE_FAULTS_LISTED_MAX + 1)
  expect(faults).toMatchObject({ errors: 2_001, faultyLines: 2_001 })
})

it('a line with many faults has the first of them listed and all counted', async () => {
  const line = JSON.stringify({ messages: Array.from({ length: 500 }, () => 7) })
  const { faults } = (await validateLines([line, ...supervised(10)])).report
  expect(faults.listed.length).toBe(LINE_FAULTS_MAX)
  expect(faults.listed.length).toBeLessThanOrEqual(FAULTS_LISTED_MAX)
  expect(faults.countByCode).toMatchObject({ wrong_type: 500, no_assistant_message: 1 })
})

it('the content hash is that of all bytes, with faults or without', async () => {
  const content = Buffer.concat([BOM, text([...supervised(3), 'no JSON']), Buffer.from([0xff, 0x00])])
  const { report } = await validateBytes(content, {}, [7, 13])
  expect(report.contentHash).toBe(`sha256:${createHash('sha256').update(content).digest('hex')}`)
})

it('a report never holds what a dataset says, whatever is wrong with it', async () => {
  const secret = 'hunter2 correct horse ada@example.com 4111111111111111'
  // The secret at every place of every faulty line where a text or a key stands.
  const lines = violations.flatMap(({ line }) => {
    const texts = [...line.matchAll(/"(?:[^"\\]|\\.)*"/g)]
    return texts.map(
      ({ 0: found, index }) => line.slice(0, index) + JSON.stringify(secret) + line.slice(index + found.length),
    )
  })
  lines.push(`{"messages":${secret}`, secret, `"${secret}"`)
  for (const method of ['supervised', 'dpo', 'reinforcement'] as const) {
    const { report } = await validateLines(lines, { method, scanPii: true })
    expect(report.faults.errors).toBeGreaterThan(50)
    expect(JSON.stringify(report)).not.toMatch(/hunter2|correct horse|ada@|4111/)
  }
})

it('any JSON is judged and none breaks the check', async () => {
  const part = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('user', 'assistant', 'tool', 'system'))
  const message = fc.dictionary(
    fc.constantFrom('role', 'content', 'tool_calls', 'name', 'weight', 'tool_call_id', 'x'),
    part,
  )
  const example = fc.dictionary(
    fc.constantFrom('messages', 'tools', 'functions', 'input', 'preferred_output', 'non_preferred_output', '__proto__'),
    fc.oneof(part, fc.array(message, { maxLength: 4 }), fc.record({ messages: fc.array(message) })),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(example, { maxLength: 5 }),
      fc.constantFrom('supervised', 'dpo', 'reinforcement'),
      async (values, method) => {
        const { report } = await validateLines(
          values.map((value) => JSON.stringify(value)),
          { method },
        )
        // Every line is an example or has an error.
        expect(report.totals.examples + report.faults.faultyLines).toBe(values.length)
      },
    ),
    { numRuns: 300 },
  )
})
