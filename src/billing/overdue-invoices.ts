import type { Clock } from '../base/clock'
import { parseTenantId, type TenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { earlier, later, type Period } from './calendar'

/**
 * Tenants whose invoices could not be issued when everybody else's were. Their months are behind us for the others; each stands here
 * until all of its months have their invoices. A reader across tenants (I4), of ids and months alone, for the billing timer.
 */
export interface OverdueInvoices {
  /** Before the month is left behind. Of one that stands here already the month is added. */
  note(tenantId: TenantId, period: Period): Promise<void>
  /** In order of ids, read page by page. */
  all(): AsyncIterable<OverdueInvoice>
  /** It failed again: later the next time. Lost to whoever has noted a month meanwhile. */
  postpone(overdue: OverdueInvoice): Promise<void>
  /** All of it is issued; one to which a month was added meanwhile stays. */
  settle(overdue: OverdueInvoice): Promise<void>
}

export interface OverdueInvoice {
  readonly tenantId: TenantId
  /** The first month and the last one that failed. */
  readonly from: Period
  readonly to: Period
  /** Attempts, the first one among them. */
  readonly failures: number
  /** Unix milliseconds. */
  readonly firstFailedAt: number
  readonly retryAt: number
  readonly etag: string
}

/** Of platform rows: `overdue~ten_…`. */
const PREFIX = 'overdue~'
const END = 'overdue~~'
/** Below the hour between two runs of the timer, so that the next one tries again. */
const RETRY_MS_FIRST = 50 * 60_000
/** What was mended is billed within half a day at the latest; an operator’s `issue` does it at once. */
const RETRY_MS_MAX = 12 * 3_600_000
/** Each lost race was lost to another run's note of the same tenant. */
const ATTEMPTS_MAX = 20

export const overdueRow = (tenantId: TenantId): string => PREFIX + tenantId

/** Twice as long behind each failure; pure. */
export const retryAfterMs = (failures: number): number =>
  Math.min(RETRY_MS_MAX, RETRY_MS_FIRST * 2 ** Math.max(0, failures - 1))

type Stored = Omit<OverdueInvoice, 'tenantId' | 'etag'>

export function createOverdueInvoices({
  rows,
  clock,
}: {
  rows: PartitionTable<Columns>
  clock: Clock
}): OverdueInvoices {
  return {
    note: async (tenantId, period) => {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const row = await rows.get(overdueRow(tenantId))
        const known = row && fromJsonColumns<Stored>(row.columns)
        if (known && known.from <= period && known.to >= period) return
        const columns = toJsonColumns(known ? withPeriod(known, period) : firstFailure(period, clock.now()))
        const result = await (row
          ? rows.replace(overdueRow(tenantId), columns, row.etag)
          : rows.insert(overdueRow(tenantId), columns))
        if (result.kind === 'written') return
      }
      throw new Error(`it could not be noted that ${tenantId} has no invoice of ${period}`)
    },
    all: async function* () {
      for await (const { rowKey, columns, etag } of rows.range(PREFIX, END)) {
        const tenantId = parseTenantId(rowKey.slice(PREFIX.length))
        if (tenantId) yield { ...fromJsonColumns<Stored>(columns), tenantId, etag }
      }
    },
    postpone: async ({ tenantId, etag, ...known }) => {
      const failures = known.failures + 1
      const next: Stored = { ...known, failures, retryAt: clock.now() + retryAfterMs(failures) }
      await rows.replace(overdueRow(tenantId), toJsonColumns(next), etag)
    },
    settle: ({ tenantId, etag }) => rows.remove(overdueRow(tenantId), etag),
  }
}

const firstFailure = (period: Period, nowMs: number): Stored => ({
  from: period,
  to: period,
  failures: 1,
  firstFailedAt: nowMs,
  retryAt: nowMs + retryAfterMs(1),
})

const withPeriod = (known: Stored, period: Period): Stored => ({
  ...known,
  from: earlier(known.from, period),
  to: later(known.to, period),
})
