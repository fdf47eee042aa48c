import type { UsageReportRow } from '../../src/usage/query-usage'
import { usageCsv } from '../../src/usage/usage-csv'
import { percentilesOf } from '../../src/usage/usage-percentiles'
import { newSketches } from '../../src/usage/usage-sketches'
import { zeroSums } from '../../src/usage/usage-sums'

const row = (more: Partial<UsageReportRow>): UsageReportRow => ({
  ...zeroSums(),
  ...percentilesOf(newSketches()),
  ...more,
})
const linesOf = (rows: readonly UsageReportRow[], groupBy: readonly ('alias' | 'backend')[] = ['alias']) =>
  usageCsv({ rows, groupBy, interval: 'none' }).split('\r\n')

describe('usage as comma-separated values', () => {
  it('has a line for each row under the names of the columns, all of one length', () => {
    const sketches = newSketches()
    sketches.latency.add(1_000)
    const start = '2026-06-01T00:00:00.000Z'
    const rows = [row({ alias: 'chat', start, calls: 3, ...percentilesOf(sketches) }), row({ alias: 'other', start })]
    const text = usageCsv({ rows, groupBy: ['alias'], interval: 'day' })
    const lines = text.split('\r\n').map((line) => line.split(','))
    expect(text.endsWith('\r\n')).toBe(true)
    expect(lines.pop()).toEqual([''])
    expect(lines[0]?.slice(0, 3)).toEqual(['start', 'alias', 'calls'])
    expect(lines[1]?.slice(0, 3)).toEqual([start, 'chat', '3'])
    expect(new Set(lines.map(({ length }) => length)).size).toBe(1)
    expect(lines[1]?.[lines[0]?.indexOf('latencyP95Ms') ?? -1]).toBe(String(percentilesOf(sketches).latencyP95Ms))
    expect(lines[2]?.[lines[0]?.indexOf('latencyP95Ms') ?? -1]).toBe('')
  })

  it.each([
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
  ])('quotes %j as RFC 4180 has it', (alias, cell) => {
    expect(linesOf([row({ alias })])[1]?.startsWith(`${cell},`)).toBe(true)
  })

  it.each(['=1+1', '+1', '-1', '@x', '\tx'])('makes no formula of %j, which somebody else may have named', (alias) => {
    expect(linesOf([row({ alias })])[1]).toMatch(/^"?'/)
  })

  it('leaves the cell of a group that a call had none of empty', () => {
    expect(linesOf([row({ alias: 'chat', backend: null })], ['alias', 'backend'])[1]).toMatch(/^chat,,0,/)
  })
})
