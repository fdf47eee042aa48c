import { createAlerts } from '../../src/alerts/alerts'
import { alertStorage } from '../../src/alerts/alerts'
import { systemChance } from '../../src/base/chance'
import { createIdMaker, type BackendId, type TenantId } from '../../src/base/ids'
import type { CallIntent, CallSettlement } from '../../src/metering/usage-record'
import type { Notice } from '../../src/notifications/notice'
import type { Backend } from '../../src/routing/backend'
import { assembleSla } from '../../src/sla/assemble-sla'
import { slaStorage } from '../../src/sla/sla-store'
import type { StorageAccount } from '../../src/storage/connect'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { createBlobCursors } from '../../src/usage/blob-cursors'
import { createRecentUsage } from '../../src/usage/recent-usage'
import { createRollUp } from '../../src/usage/run-roll-up'
import { createTenantsWithUsage } from '../../src/usage/tenants-with-usage'
import { createUsageReader } from '../../src/usage/usage-reader'
import { intentOf, settlementOf } from '../metering/records'
import { appendLines, linesOfCall } from '../usage/histories'
import { blobName, freshUsage } from '../usage/usage-fixtures'
import { MINUTE_MS, noonMs, tenantId } from './sla-fixtures'

const HOUR_MS = 3_600_000

/** Objectives over a real usage log, its real roll-up and real storage; only the time is the test's, and who is told. */
export async function slaWorld() {
  const usage = await freshUsage(noonMs)
  const { storage, clock, container, log } = usage
  await storage.ensure({ tables: [...slaStorage.tables, ...alertStorage.tables] })
  const ids = createIdMaker({ clock, chance: systemChance() })
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const published = new Map<string, Notice>()
  const telling = { fails: false }
  const gone = new Set<TenantId>()
  const backends = new Map<BackendId, Backend>()
  const rollUp = createRollUp({ storage, clock, log })
  let calls = 0

  /** An app instance: several may share everything else. */
  const instance = (using: StorageAccount = storage) =>
    assembleSla({
      storage: using,
      reader: createUsageReader({ storage, clock }),
      tenantsWithUsage: createTenantsWithUsage({ storage, clock }),
      recentUsage: createRecentUsage({ storage, clock, cursors: createBlobCursors(storage) }),
      rollUp,
      backends: () => backends,
      tenantOf: (id) => (gone.has(id) ? undefined : { state: 'active' }),
      alerts,
      notifications: {
        publish: async (notice) => {
          if (telling.fails) throw new Error('nobody can be told')
          if (!published.has(notice.id)) published.set(notice.id, notice)
        },
      },
      ids,
      clock,
      log,
    })

  /** Puts calls into the log as if they had come in in that minute from noon on. */
  const call = async (
    minute: number,
    count: number,
    settlement: Partial<CallSettlement> = {},
    intent: Partial<CallIntent> = {},
  ) => {
    const startMs = noonMs + minute * MINUTE_MS
    const histories = Array.from({ length: count }, (_, at) => ({
      intent: intentOf(`${calls++}`, { tenantId, startedAt: startMs + at, ...intent }),
      settlement: settlementOf(settlement),
      blob: 1,
    }))
    await appendLines(container, blobName(Math.floor(startMs / HOUR_MS) * HOUR_MS, 1), histories.flatMap(linesOfCall))
  }

  return {
    ...usage,
    alerts,
    published,
    telling,
    gone,
    backends,
    rollUp,
    instance,
    call,
    scope: TenantScope.ofPlatform(tenantId),
    /** A few seconds into that minute from noon on, with everything rolled up. */
    at: async (minute: number) => {
      clock.nowMs = noonMs + minute * MINUTE_MS + 25_000
      await rollUp.run()
    },
  }
}

export const upstreamFailed: Partial<CallSettlement> = {
  outcome: 'failed',
  status: 502,
  code: 'upstream_failed',
  firstByteMs: undefined,
}
