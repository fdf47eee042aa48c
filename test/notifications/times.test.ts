import fc from 'fast-check'
import { backOffMs, GIVE_UP_AFTER_MS } from '../../src/notifications/delivery'
import { planDeliveries, tellAt } from '../../src/notifications/plan-deliveries'
import type { Subscription } from '../../src/notifications/subscription'
import { isTimeZone, localMinutes, minutesOf, nextLocalTime } from '../../src/notifications/zoned-time'
import { aNotice } from './notification-world'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/St_Johns',
]
const times = fc.integer({ min: Date.UTC(2011, 0, 1), max: Date.UTC(2035, 0, 1) })
const timeOfDay = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map(([hours, minutes]) => `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`)

const aSubscription = (more: Partial<Subscription> = {}): Subscription => ({
  id: `sub_${'0'.repeat(26)}`,
  name: 'a subscription',
  channel: { kind: 'event-grid' },
  severityMin: 'notice',
  timeZone: 'UTC',
  criticalWaits: false,
  createdAt: 0,
  ...more,
})

describe('the next time of a day', () => {
  it('comes after now, within a day and a leap of the clock, and is that time unless the clock leaps over it', () => {
    fc.assert(
      fc.property(times, fc.constantFrom(...zones), timeOfDay, (nowMs, zone, text) => {
        const minutes = minutesOf(text) ?? Number.NaN
        const next = nextLocalTime(nowMs, minutes, zone)
        expect(next).toBeGreaterThan(nowMs)
        // Samoa had no 30th of December in 2011.
        expect(next - nowMs).toBeLessThanOrEqual((zone === 'Pacific/Apia' ? 49 : 25) * HOUR_MS)
        const isLeapt = localMinutes(next, zone) !== minutes
        // Just before a leap forward the clock is before that time, on it behind.
        if (isLeapt) {
          const before = localMinutes(next - MINUTE_MS, zone)
          expect(localMinutes(next, zone) - before).not.toBe(1)
        }
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    // The clocks of Berlin leapt from 02:00 to 03:00 on the 29th of March 2026, at 01:00 UTC.
    ['Europe/Berlin', '2026-03-28T23:30:00Z', '02:30', '2026-03-29T01:00:00Z'],
    ['Europe/Berlin', '2026-03-28T23:30:00Z', '03:00', '2026-03-29T01:00:00Z'],
    // They were put back from 03:00 to 02:00 on the 25th of October, at 01:00 UTC: half past two comes twice.
    ['Europe/Berlin', '2026-10-24T23:00:00Z', '02:30', '2026-10-25T00:30:00Z'],
    ['Europe/Berlin', '2026-10-25T00:30:00Z', '02:30', '2026-10-26T01:30:00Z'],
    ['America/New_York', '2026-03-08T06:00:00Z', '02:30', '2026-03-08T07:00:00Z'],
    ['Asia/Kolkata', '2026-01-01T00:00:00Z', '07:00', '2026-01-01T01:30:00Z'],
  ])('in %s after %s, %s is %s', (zone, now, text, expected) => {
    const next = nextLocalTime(Date.parse(now), minutesOf(text) ?? Number.NaN, zone)
    expect(new Date(next).toISOString().replace('.000', '')).toBe(expected)
  })

  it('is known of zones that there are', () => {
    expect(['UTC', 'Europe/Berlin', 'Etc/GMT+5'].map(isTimeZone)).toEqual([true, true, true])
    expect(['', 'Middle/Earth', 'Europe/Berlin ', '../etc'].map(isTimeZone)).toEqual([false, false, false, false])
    expect(['24:00', '7:00', '07:60', ''].map(minutesOf)).toEqual([undefined, undefined, undefined, undefined])
  })
})

describe('what is told', () => {
  it('is never told in quiet hours, nor before it happened, nor much later than within a day', () => {
    const digest = fc.option(
      fc.oneof(
        fc.constant({ kind: 'hourly' as const }),
        timeOfDay.map((at) => ({ kind: 'daily' as const, at })),
      ),
      { nil: undefined },
    )
    fc.assert(
      fc.property(times, fc.constantFrom(...zones), timeOfDay, timeOfDay, digest, (nowMs, timeZone, from, to, by) => {
        fc.pre(from !== to)
        const subscription = aSubscription({ timeZone, quietHours: { from, to }, digest: by })
        const at = tellAt(subscription, { severity: 'warning' }, nowMs)
        expect(at).toBeGreaterThanOrEqual(nowMs)
        expect(at - nowMs).toBeLessThanOrEqual(2 * 49 * HOUR_MS)
        const [begin, end] = [minutesOf(from) ?? 0, minutesOf(to) ?? 0]
        const wall = localMinutes(at, timeZone)
        const isQuiet = begin <= end ? begin <= wall && wall < end : wall >= begin || wall < end
        // But where a clock leaps from before them into their midst.
        const leapt = localMinutes(at - MINUTE_MS, timeZone) !== (wall + 1_439) % 1_440
        if (!leapt) expect(isQuiet).toBe(false)
        // The same for all that comes until then: they find the same message.
        if (by && at > nowMs) expect(tellAt(subscription, { severity: 'notice' }, nowMs)).toBe(at)
      }),
      { numRuns: 300 },
    )
  })

  it('at once is what is critical, unless its subscriber lets it wait, or it is over', () => {
    const quiet = aSubscription({ quietHours: { from: '00:00', to: '23:59' }, digest: { kind: 'hourly' } })
    const nowMs = Date.UTC(2026, 0, 1, 12)
    expect(tellAt(quiet, { severity: 'critical' }, nowMs)).toBe(nowMs)
    for (const later of [
      tellAt({ ...quiet, criticalWaits: true }, { severity: 'critical' }, nowMs),
      tellAt(quiet, { severity: 'critical', isOver: true }, nowMs),
      tellAt(quiet, { severity: 'warning' }, nowMs),
    ])
      expect(later).toBe(Date.UTC(2026, 0, 1, 23, 59))
  })

  it('goes to those who want it, by kind and severity, and to nobody who is off', () => {
    const told = (more: Partial<Subscription>) =>
      planDeliveries(aNotice('r/1', { kind: 'invoice', severity: 'warning' }), [aSubscription(more)], 0).length
    expect(told({})).toBe(1)
    expect(told({ kinds: ['invoice', 'report'] })).toBe(1)
    expect(told({ kinds: ['report'] })).toBe(0)
    expect(told({ kinds: [] })).toBe(0)
    expect(told({ severityMin: 'warning' })).toBe(1)
    expect(told({ severityMin: 'critical' })).toBe(0)
    expect(told({ off: { at: 0, why: 'gone' } })).toBe(0)
  })
})

test('attempts come later and later, and all of them within the day that a message has', () => {
  for (const fraction of [0, 0.5, 0.999]) {
    const chance = { fraction: () => fraction, bytes: () => new Uint8Array() }
    const waits = Array.from({ length: 11 }, (_, index) => backOffMs(index + 1, chance))
    for (const [index, wait] of waits.entries())
      if (index > 0) expect(wait).toBeGreaterThanOrEqual(waits[index - 1] ?? 0)
    expect(waits[0]).toBeLessThanOrEqual(36_000)
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThan(1.3 * GIVE_UP_AFTER_MS)
  }
})
