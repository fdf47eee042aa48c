import { nothingCounted, type CountedUse } from '../../src/reconciliation/counted-use'
import {
  DRIFT_LEAST,
  judgeDrift,
  WINDOW_HOURS,
  withHour,
  type ComparedHour,
} from '../../src/reconciliation/judge-drift'

const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2026, 5, 1)
const used: CountedUse = { requests: 1_000, promptTokens: 500_000, outputTokens: 200_000 }

/** The `n`th hour, in which nobody accounts for `unknown` requests. */
const hour = (n: number, unknown = 0, counted = used): ComparedHour => ({
  hourMs: START_MS + n * HOUR_MS,
  theirs: { ...counted, requests: counted.requests + unknown },
  ours: counted,
  unexplained: { ...nothingCounted, requests: unknown },
})

it('agreement is within, and so is nothing at all', () => {
  expect(judgeDrift([hour(0), hour(1)])).toEqual({ kind: 'within' })
  expect(judgeDrift([])).toEqual({ kind: 'within' })
})

it('a call that begins in one hour and ends in the next cancels out', () => {
  expect(judgeDrift([hour(0, 200), hour(1, -200)])).toEqual({ kind: 'within' })
})

it('more than one in a hundred is past, exactly one in a hundred is not', () => {
  const share = (unknown: number) => judgeDrift([hour(0, unknown, { ...used, requests: 10_000 - unknown })]).kind
  expect(share(100)).toBe('small')
  expect(share(101)).toBe('past')
})

it('a drift below the least is within, however large its share', () => {
  const few = { ...nothingCounted, requests: 1 }
  expect(judgeDrift([hour(0, DRIFT_LEAST.requests - 1, few)])).toEqual({ kind: 'within' })
  expect(judgeDrift([hour(0, DRIFT_LEAST.requests, few)])).toMatchObject({ kind: 'past', fields: ['requests'] })
})

it('names the fields that are past, with the sums of all hours', () => {
  expect(judgeDrift([hour(0, 50), hour(1, 50)])).toEqual({
    kind: 'past',
    fields: ['requests'],
    unexplained: { requests: 100, promptTokens: 0, outputTokens: 0 },
    theirs: { ...used, requests: 2_100, promptTokens: 1_000_000, outputTokens: 400_000 },
    ours: { requests: 2_000, promptTokens: 1_000_000, outputTokens: 400_000 },
    hours: 2,
  })
})

describe('the window', () => {
  it('has each hour once, the newest look in place of the one before, in order of time', () => {
    const looked = [hour(3, 7), hour(1), hour(3)].reduce<readonly ComparedHour[]>(withHour, [])
    expect(looked).toEqual([hour(1), hour(3)])
  })

  it('forgets hours that lie further back than it reaches', () => {
    const looked = [hour(0), hour(1), hour(WINDOW_HOURS)].reduce<readonly ComparedHour[]>(withHour, [])
    expect(looked).toEqual([hour(1), hour(WINDOW_HOURS)])
  })

  it('keeps the newer hours when an older one is looked at again', () => {
    expect(withHour([hour(9)], hour(8, 1))).toEqual([hour(8, 1), hour(9)])
  })
})
