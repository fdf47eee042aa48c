import { createHash } from 'node:crypto'
import { isInShare, newSpanId, newTraceId, readTraceParent, writeTraceParent } from '../../src/telemetry/trace-parent'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

describe('a traceparent', () => {
  it('is read and written as the standard has it', () => {
    const header = `00-${TRACE}-${SPAN}-01`
    const place = readTraceParent(header)
    expect(place).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true })
    expect(place && writeTraceParent(place)).toBe(header)
    expect(readTraceParent(`00-${TRACE}-${SPAN}-02`)?.isSampled).toBe(false)
  })

  it('of a later version may have more behind it', () => {
    expect(readTraceParent(`01-${TRACE}-${SPAN}-01-more`)).toMatchObject({ traceId: TRACE })
    expect(readTraceParent(`00-${TRACE}-${SPAN}-01-more`)).toBeUndefined()
  })

  it.each([
    undefined,
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `01-${TRACE}-${SPAN}-01-${'x'.repeat(1_000)}`,
  ])('that is none begins no trace: %s', (header) => {
    expect(readTraceParent(header)).toBeUndefined()
  })
})

describe('a share of traces', () => {
  let drawn = 0
  const chance = {
    fraction: () => 0,
    bytes: (length: number) => createHash('sha256').update(String(drawn++)).digest().subarray(0, length),
  }
  const ids = Array.from({ length: 20_000 }, () => newTraceId(chance))

  it('is as large as it is asked to be', () => {
    for (const ratio of [0.01, 0.1, 0.5]) {
      const kept = ids.filter((id) => isInShare(id, ratio)).length / ids.length
      // Five standard deviations of a binomial count.
      expect(Math.abs(kept - ratio)).toBeLessThan(5 * Math.sqrt((ratio * (1 - ratio)) / ids.length))
    }
    expect(ids.every((id) => isInShare(id, 1))).toBe(true)
    expect(ids.some((id) => isInShare(id, 0))).toBe(false)
  })

  it('holds whatever a smaller share holds', () => {
    expect(ids.filter((id) => isInShare(id, 0.1)).every((id) => isInShare(id, 0.2))).toBe(true)
  })

  it('is of ids that are valid, even where chance gives zeros', () => {
    const zeros = { ...chance, bytes: (length: number) => new Uint8Array(length) }
    const header = `00-${newTraceId(zeros)}-${newSpanId(zeros)}-01`
    expect(readTraceParent(header)).toBeDefined()
  })
})
