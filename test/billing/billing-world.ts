import { systemChance } from '../../src/base/chance'
import { encodeBase32, encodeTime, type BackendId, type TenantId } from '../../src/base/ids'
import { alertStorage, createAlerts } from '../../src/alerts/alerts'
import { assembleBilling } from '../../src/billing/assemble-billing'
import { billingStorage, createBillingRows } from '../../src/billing/billing-rows'
import type { Day } from '../../src/billing/calendar'
import { createClosing } from '../../src/billing/closing-state'
import { fileStorage } from '../../src/files/assemble-files'
import { hourPrefix, usageLogContainer } from '../../src/metering/log-blob-name'
import { encodeSettled } from '../../src/metering/log-line'
import { createOwnPrices } from '../../src/billing/own-prices'
import { createPriceBook } from '../../src/metering/price-book'
import type { CallIntent, CallSettlement } from '../../src/metering/usage-record'
import type { Notice } from '../../src/notifications/notice'
import type { Backend } from '../../src/routing/backend'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable, type Columns } from '../../src/storage/tenant-table'
import { createRollUp, usageStorage } from '../../src/usage/run-roll-up'
import { createTenantsWithUsage } from '../../src/usage/tenants-with-usage'
import { createUsageReader } from '../../src/usage/usage-reader'
import { freshStorage } from '../harness/storage'
import { intentOf, settlementOf } from '../metering/records'
import { silentLog } from '../metering/read-all'
import { setClock } from '../usage/usage-fixtures'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const USD = 1_000_000

export interface BilledCall
  extends Partial<Pick<CallIntent, 'alias' | 'model' | 'operation'>>, Partial<CallSettlement> {
  readonly tenantId: TenantId
  /** When it came in, ISO 8601. */
  readonly at: string
}

const scopeOf = (tenantId: TenantId) => TenantScope.ofPlatform(tenantId)

/** Billing on real storage with a real usage log and its roll-up, and a wall time that the test sets. */
export async function billingWorld(now: string, { openDay }: { openDay?: Day } = {}) {
  const storage = freshStorage()
  await storage.ensure({
    tables: [...alertStorage.tables, ...billingStorage.tables, ...usageStorage.tables, ...fileStorage.tables],
    containers: usageStorage.containers,
  })
  const clock = setClock(Date.parse(now))
  const chance = systemChance()
  const container = storage.container(usageLogContainer)
  const rollUp = createRollUp({ storage, clock, log: silentLog })
  const names = new Map<TenantId, string>()
  const left = new Map<TenantId, number>()
  const backends = new Map<BackendId, Backend>()
  const published: Notice[] = []
  const book = createPriceBook()
  const ownPrices = createOwnPrices(book)
  const parts = {
    storage,
    tenants: {
      get: async ({ tenantId }: TenantScope) => recordOf(names.get(tenantId)),
    },
    backends: { all: () => backends },
    ownPrices,
    usage: createUsageReader({ storage, clock }),
    tenantsWithUsage: createTenantsWithUsage({ storage, clock }),
    rollUp,
    notifications: {
      publish: async (notice: Notice) => void published.push(notice),
    },
    alerts: createAlerts({ rows: platformTable<Columns>(storage.table('alerts')), clock }),
    leftAt: async (tenantId: TenantId) => left.get(tenantId),
    tenantIds: async function* (after?: TenantId) {
      for (const id of [...names.keys()].sort()) if (after === undefined || id > after) yield id
    },
    clock,
    chance,
    log: silentLog,
  }
  const assembled = assembleBilling(parts)
  // Days before it are closed, with nothing in them: closing each takes its time.
  if (openDay)
    await createClosing({ rows: platformTable<Columns>(storage.table('billing')), clock }).advance({ openDay })
  let blobs = 0
  let calls = 0

  return {
    ...assembled.billing,
    billing: assembled.billing,
    keepPrices: assembled.keepPrices,
    measure: assembled.timers['measure-storage'],
    bill: assembled.timers['bill-tenants'],
    removeOld: assembled.timers['remove-old-invoices'],
    parts,
    book,
    ownPrices,
    storage,
    clock,
    published,
    names,
    left,
    backends,
    rollUp,
    scopeOf,
    rows: createBillingRows({
      tenantRows: tenantTable<Columns>(storage.table('billing')),
      platformRows: platformTable<Columns>(storage.table('billing')),
    }),
    at: (time: string) => void (clock.nowMs = Date.parse(time)),
    /** A tenant that came to be at that time; in order of their times they sort. */
    newTenant: (since: string, name = 'Contoso'): TenantId => {
      const tenantId: TenantId = `ten_${encodeTime(Date.parse(since))}${encodeBase32(chance.bytes(10))}`
      names.set(tenantId, name)
      return tenantId
    },
    /** Ended calls, each in a log blob of its hour, or of the hour in which it was claimed late. */
    used: async (list: readonly BilledCall[], claimedAt?: string) => {
      for (const [hourMs, group] of Map.groupBy(list, ({ at }) => hourOf(claimedAt ?? at))) {
        const blob = container.getAppendBlobClient(`${hourPrefix(hourMs)}ins_billing${(blobs += 1)}-000001.log`)
        await blob.create()
        const text = group.map((call) => lineOf(call, (calls += 1))).join('')
        await blob.appendBlock(text, Buffer.byteLength(text))
      }
    },
    /** What the timers do, in their order. */
    tick: async () => {
      await rollUp.run()
      await assembled.timers['measure-storage']()
      await assembled.timers['bill-tenants']()
    },
  }
}
export type BillingWorld = Awaited<ReturnType<typeof billingWorld>>

const hourOf = (at: string) => Math.floor(Date.parse(at) / HOUR) * HOUR

const recordOf = (displayName: string | undefined) =>
  // Billing asks a tenant's record for its name only.
  displayName === undefined ? undefined : ({ displayName } as never)

function lineOf({ tenantId, at, alias, model, operation, ...settlement }: BilledCall, number: number): string {
  const named = { ...(alias ? { alias } : {}), ...(model ? { model } : {}), ...(operation ? { operation } : {}) }
  const intent = intentOf(`billing${number}`, { tenantId, startedAt: Date.parse(at), ...named })
  return encodeSettled(intent, settlementOf({ backendId: undefined, ...settlement }), false)
}
