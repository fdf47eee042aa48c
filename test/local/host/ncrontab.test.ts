import fc from 'fast-check'
import { parseNcrontab } from '../../../local/host/timers/ncrontab'

const after = (expression: string, from: string) => {
  const next = parseNcrontab(expression).next(Date.parse(from))
  return next === undefined ? undefined : new Date(next).toISOString()
}

describe('a schedule', () => {
  it.each([
    ['*/5 * * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:00:05.000Z'],
    ['*/5 * * * * *', '2026-01-01T00:00:04.999Z', '2026-01-01T00:00:05.000Z'],
    ['0 30 9 * * Mon-Fri', '2026-01-02T09:30:00Z', '2026-01-05T09:30:00.000Z'],
    ['0 0 0 1 jan *', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00.000Z'],
    ['0 0 12 31 * *', '2026-01-31T12:00:00Z', '2026-03-31T12:00:00.000Z'],
    ['15,45 10-12/2 * * * *', '2026-01-01T05:10:20Z', '2026-01-01T05:10:45.000Z'],
    ['0 5/20 * * * *', '2026-01-01T00:06:00Z', '2026-01-01T00:25:00.000Z'],
    ['30 4 * * *', '2026-01-01T00:00:00Z', '2026-01-01T04:30:00.000Z'],
    ['0 0 0 29 2 0', '2026-01-01T00:00:00Z', '2032-02-29T00:00:00.000Z'],
  ])('%s after %s comes at %s', (expression, from, expected) => {
    expect(after(expression, from)).toBe(expected)
  })

  it('needs day of month and day of week to match both', () => {
    expect(after('0 0 0 13 * fri', '2026-01-01T00:00:00Z')).toBe('2026-02-13T00:00:00.000Z')
  })

  it('that no date can meet has no next occurrence', () => {
    expect(after('0 0 0 31 2 *', '2026-01-01T00:00:00Z')).toBeUndefined()
  })

  it.each([
    '* * * *',
    '60 * * * * *',
    '* * 24 * * *',
    '* * * 0 * *',
    '* * * * 13 *',
    '* * * * * 7',
    '*/0 * * * * *',
    'x * * * * *',
    '5-1 * * * * *',
  ])(
    // prettier-ignore
    '%s is refused',
    (expression) => {
      expect(() => parseNcrontab(expression)).toThrow(expression)
    },
  )

  it('always moves on, to a whole second that meets every field', () => {
    const field = (min: number, max: number) => fc.oneof(fc.constant('*'), fc.integer({ min, max }).map(String))
    const times = fc.integer({ min: 0, max: 4_000_000_000_000 })
    fc.assert(
      fc.property(field(0, 59), field(0, 59), field(0, 23), field(0, 6), times, (s, m, h, weekday, fromMs) => {
        const next = parseNcrontab(`${s} ${m} ${h} * * ${weekday}`).next(fromMs) ?? 0
        const date = new Date(next)
        const meets = (text: string, value: number) => text === '*' || Number(text) === value
        expect(next).toBeGreaterThan(fromMs)
        expect(next % 1_000).toBe(0)
        expect(meets(s, date.getUTCSeconds()) && meets(m, date.getUTCMinutes())).toBe(true)
        expect(meets(h, date.getUTCHours()) && meets(weekday, date.getUTCDay())).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
