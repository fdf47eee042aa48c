import type { BackendId, TenantId } from '../../src/base/ids'
import { createNeighbourStore, neighbourStorage } from '../../src/neighbours/neighbour-store'
import { createWatchNeighbours, type WatchNeighboursDeps } from '../../src/neighbours/watch-neighbours'
import type { StorageAccount } from '../../src/storage/connect'
import { TenantScope } from '../../src/storage/tenant-scope'
import type { TenantSnapshot } from '../../src/tenants/snapshot'
import { createBlobCursors } from '../../src/usage/blob-cursors'
import { createRecentUsage } from '../../src/usage/recent-usage'
import { createRollUp } from '../../src/usage/run-roll-up'
import { createUsageReader } from '../../src/usage/usage-reader'
import { intentOf, settlementOf } from '../metering/records'
import { freshUsage, writeHistories } from '../usage/usage-fixtures'
import { watchedStorage } from '../usage/watched-storage'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const backendId: BackendId = `bke_${'1'.repeat(26)}`
const START = Date.UTC(2026, 5, 1, 10)
const ids = Array.from({ length: 12 }, (_, at): TenantId => `ten_${String.fromCharCode(97 + at).repeat(26)}`)

const nobody = () => {
  throw new Error('nobody is in anybody’s way')
}

/** The timer over a real usage log; nobody is in anybody’s way. */
async function world() {
  const usage = await freshUsage(START)
  await usage.storage.ensure(neighbourStorage)
  const asked: string[] = []
  const storage: StorageAccount = watchedStorage(usage.storage, async ({ url }) => {
    const [table] = /(usageminutes|neighbours)\(/.exec(url) ?? []
    if (table) asked.push(table)
  })
  const { clock } = usage
  const snapshots = { asked: 0, version: 1 }
  const deps: WatchNeighboursDeps = {
    store: createNeighbourStore(storage),
    rollUp: createRollUp(usage),
    usage: createUsageReader({ storage, clock }),
    recentUsage: createRecentUsage({ storage, clock, cursors: createBlobCursors(storage) }),
    tenants: { setMeasure: nobody },
    alerts: { raise: nobody, mitigate: nobody, resolve: nobody },
    audit: { append: nobody, head: nobody, page: nobody },
    tenantOf: (tenantId) => {
      snapshots.asked++
      const aliases = { chat: { name: 'chat', groups: [{ members: [{ backendId, weight: 1 }] }] } }
      const limits = { tokensPerMinute: 10_000 }
      const snapshot = { tenantId, state: 'active', version: snapshots.version, weight: 1, limits, aliases }
      return snapshot as unknown as TenantSnapshot
    },
    clock,
    log: usage.log,
  }
  const watch = createWatchNeighbours(deps)
  let calls = 0
  /** Each calls once in that minute, and then the timer runs. */
  const minute = async (at: number) => {
    const startedAt = START + at * MINUTE_MS
    const histories = ids.map((tenantId) => ({
      intent: intentOf(`c${calls++}`, { tenantId, startedAt, alias: 'chat' }),
      settlement: settlementOf({ backendId }),
      blob: 0,
    }))
    await writeHistories(usage, histories, Math.floor(startedAt / HOUR_MS) * HOUR_MS)
    clock.nowMs = startedAt + MINUTE_MS + 15_000
    asked.length = 0
    snapshots.asked = 0
    await watch()
    return { tables: asked.length, snapshots: snapshots.asked }
  }
  return { usage, minute, snapshots, store: createNeighbourStore(usage.storage) }
}

describe('the minute’s look at who is in whose way', () => {
  it('asks storage about tenants that it knows once an hour, not once a minute', async () => {
    const { minute } = await world()
    const first = await minute(0)
    expect(first.tables).toBeGreaterThanOrEqual(ids.length)
    expect(first.snapshots).toBe(ids.length)
    for (let at = 1; at < 5; at++) {
      const { tables, snapshots } = await minute(at)
      // Of findings, whoever there are.
      expect(tables).toBeLessThanOrEqual(2)
      expect(snapshots).toBe(0)
    }
    expect((await minute(5)).snapshots).toBe(ids.length)
  })

  it('learns what is usual of each hour when its turn has come', async () => {
    const { minute, store } = await world()
    for (const at of [0, 30, 59, 61, 100, 110]) await minute(at)
    for (const id of ids) {
      const normals = await store.normals(TenantScope.ofPlatform(id))
      expect(normals.get(backendId)?.learnedToMs).toBe(START + HOUR_MS)
      expect(normals.get(backendId)?.load.at(START).hours).toBe(1)
    }
  })
})
