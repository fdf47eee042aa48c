import type { KeyRecord } from '../../src/access/key-record'
import type { TenantId } from '../../src/base/ids'
import { expiryDaysOf, expiryNotice } from '../../src/housekeeping/key-expiry'
import { createWatchKeyExpiry } from '../../src/housekeeping/watch-key-expiry'
import type { Notice } from '../../src/notifications/notice'
import type { TenantSnapshot } from '../../src/tenants/snapshot'
import { handClock } from '../harness/hand-clock'
import { silentLog } from '../metering/read-all'

const DAY_MS = 86_400_000
const NOW_MS = Date.UTC(2026, 5, 1)
const tenantId = 'ten_00000000000000000000000001'

const key = (endsInDays: number | undefined, more: Partial<KeyRecord> = {}): KeyRecord => ({
  tenantId,
  keyId: 'key_00000000000000000000000001',
  digest: 'a-digest',
  name: 'the website',
  scopes: ['inference'],
  createdAt: NOW_MS - 365 * DAY_MS,
  expiresAt: endsInDays === undefined ? undefined : NOW_MS + endsInDays * DAY_MS,
  previous: [],
  ...more,
})

describe('a key is told of', () => {
  it.each([
    [30, 30],
    [29.5, 30],
    [7.001, 30],
    [7, 7],
    [2, 7],
    [1, 1],
    [0.001, 1],
    [0, 0],
    [-6.9, 0],
  ])('%d days before its end by the notice of %d days', (left, days) => {
    expect(expiryDaysOf(key(left), NOW_MS)).toBe(days)
  })

  it.each<[string, KeyRecord]>([
    ['long before', key(30.001)],
    ['long after', key(-7.001)],
    ['one that never ends', key(undefined)],
    ['one that was revoked', key(3, { revokedAt: NOW_MS - DAY_MS })],
    ['one that was made to live no longer', key(6, { createdAt: NOW_MS })],
  ])('no more: %s', (_, record) => {
    expect(expiryDaysOf(record, NOW_MS)).toBeUndefined()
  })

  it('that was made for less than a week when its last day comes', () => {
    expect(expiryDaysOf(key(0.5, { createdAt: NOW_MS - 3 * DAY_MS }), NOW_MS)).toBe(1)
  })
})

it('a notice has another id for each of the days and each end, and the same for the same', () => {
  const ends = [5, 6].map((days) => ({ ...key(days), expiresAt: NOW_MS + days * DAY_MS }))
  const ids = ends.flatMap((record) => ([30, 7, 1, 0] as const).map((days) => expiryNotice(record, days).id))
  expect(new Set(ids).size).toBe(8)
  const [record] = ends
  expect(record && expiryNotice(record, 7)).toEqual(record && expiryNotice(record, 7))
})

it('a notice is the tenant’s, names key and end, and nothing of the secret', () => {
  const notice = expiryNotice({ ...key(5), expiresAt: NOW_MS + 5 * DAY_MS }, 7)
  expect(notice).toMatchObject({ audience: 'tenant', tenantId, kind: 'key-expiry', severity: 'notice' })
  expect(notice.title).toBe('The API key "the website" expires on 2026-06-06')
  expect(JSON.stringify(notice)).not.toContain('a-digest')
})

describe('the timer', () => {
  const tenants = ['ten_00000000000000000000000001', 'ten_00000000000000000000000002'] as const
  const watching = (
    states: Readonly<Record<TenantId, TenantSnapshot['state'] | undefined>>,
    keysOf: () => KeyRecord[],
  ) => {
    const told = new Map<string, Notice>()
    let published = 0
    const watch = createWatchKeyExpiry({
      keys: { list: async ({ tenantId: of }) => keysOf().map((record) => ({ ...record, tenantId: of })) },
      tenantIds: async function* () {
        yield* tenants
      },
      tenantOf: (id) => {
        const state = states[id]
        return state && ({ state } as TenantSnapshot)
      },
      notifications: {
        publish: async (notice) => {
          published++
          told.set(notice.id, notice)
        },
      },
      clock: handClock(NOW_MS),
      log: silentLog,
    })
    return { watch, told, published: () => published }
  }

  it('tells each tenant of its own keys, those alone that are active, and says the same when it runs again', async () => {
    const { watch, told } = watching({ [tenants[0]]: 'active', [tenants[1]]: 'suspended' }, () => [key(5), key(100)])
    expect(await watch()).toBe(1)
    expect(await watch()).toBe(1)
    expect([...told.values()].map((notice) => notice.tenantId)).toEqual([tenants[0]])
  })

  it('goes on with the next tenant where one’s keys cannot be read', async () => {
    let asked = 0
    const { watch, told } = watching({ [tenants[0]]: 'active', [tenants[1]]: 'active' }, () => {
      if (asked++ === 0) throw new Error('storage is away')
      return [key(5)]
    })
    expect(await watch()).toBe(1)
    expect([...told.values()].map((notice) => notice.tenantId)).toEqual([tenants[1]])
  })
})
