import { Problem } from '../../../src/base/problem'
import { groupFields } from '../../../src/usage/usage-sums'
import { intervals, parseUsageQuery } from '../../../src/usage/usage-query'

/** The usage is asked of the slice itself: the control plane of these tests has another answer in its place. */
const NOW_MS = Date.parse('2026-06-15T12:34:56.789Z')
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

type Query = Readonly<Record<string, string>>

function refusalOf(query: Query) {
  const parsed = parseUsageQuery(query, NOW_MS)
  return parsed instanceof Problem ? parsed : undefined
}

/** A span that ends now. */
const back = (ms: number): Query => ({
  from: new Date(NOW_MS - ms).toISOString(),
  to: new Date(NOW_MS).toISOString(),
})

const times = ['2026-06-15T00:00:00Z', '2026-06-15T00:00:00.001Z', '2026-06-15T02:00:00+02:00', '2026-06-15']
const noTimes = [
  '',
  'now',
  '2026-02-30',
  '2026-6-1',
  '2026-06-15T00:00:00',
  '2026-06-15T24:00:00Z',
  '1781481600',
  ' 2026-06-15',
]

it.each<Query>([
  {},
  ...times.map((from) => ({ from })),
  ...times.map((to) => ({ from: '2026-06-14', to: to.replace('-15', '-16') })),
  ...groupFields.map((groupBy) => ({ groupBy })),
  ...intervals.map((interval) => ({ interval })),
  { groupBy: '' },
  { groupBy: groupFields.join(',') },
  { from: '2026-06-15T00:00:00.000Z', to: '2026-06-15T00:00:00.001Z' },
  { ...back(DAY_MS), interval: 'minute' },
  { ...back(31 * DAY_MS), interval: 'hour' },
  { ...back(366 * DAY_MS), interval: 'day' },
  { ...back(366 * DAY_MS), interval: 'month' },
  { ...back(366 * DAY_MS), interval: 'none' },
])('%j is taken', (query) => {
  expect(refusalOf(query)).toBeUndefined()
})

it.each<[Query, string, RegExp]>([
  ...noTimes.map((from): [Query, string, RegExp] => [{ from }, 'from', /2026-01-31T08:00:00Z/]),
  ...noTimes.map((to): [Query, string, RegExp] => [{ to }, 'to', /2026-01-31T08:00:00Z/]),
  [{ groupBy: 'colour' }, 'groupBy', /alias/],
  [{ groupBy: `${groupFields.join(',')},colour` }, 'groupBy', /alias/],
  [{ groupBy: ',' }, 'groupBy', /alias/],
  [{ interval: 'week' }, 'interval', /minute, hour, day, month, none/],
  [{ interval: '' }, 'interval', /minute, hour, day, month, none/],
  [{ colour: 'red' }, 'colour', /from, to, groupBy, interval/],
  [back(0), 'from', /before "to"/],
  [back(-1), 'from', /before "to"/],
  [{ ...back(DAY_MS + 1), interval: 'minute' }, 'from', /at most 1 day /],
  [{ ...back(31 * DAY_MS + 1), interval: 'hour' }, 'from', /at most 31 days/],
  [{ ...back(366 * DAY_MS + 1), interval: 'day' }, 'from', /at most 366 days/],
  [{ ...back(366 * DAY_MS + 1), interval: 'month' }, 'from', /at most 366 days/],
  [{ ...back(366 * DAY_MS + 1), interval: 'none' }, 'from', /at most 366 days/],
])('%j is refused for its %s', (query, path, says) => {
  const refused = refusalOf(query)
  expect(refused).toMatchObject({ code: 'invalid_request', param: path })
  expect(refused?.errors).toEqual([{ path, message: expect.stringMatching(says) }])
  expect(refused?.public).toContain(path)
})

it('minutes end where they are not kept any more, and the answer says when that is', () => {
  const refused = refusalOf({ from: '2026-06-01T00:00:00Z', to: '2026-06-01T01:00:00Z', interval: 'minute' })
  const [, firstKept = ''] = /Must be (\S+) or later/.exec(refused?.public ?? '') ?? []
  const query = (fromMs: number) => ({
    from: new Date(fromMs).toISOString(),
    to: new Date(fromMs + HOUR_MS).toISOString(),
    interval: 'minute',
  })
  expect(refusalOf(query(Date.parse(firstKept)))).toBeUndefined()
  expect(refusalOf(query(Date.parse(firstKept) - 1))?.param).toBe('from')
})
