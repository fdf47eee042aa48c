import { parseBackendId, parseTenantId, type BackendId, type TenantId } from '../base/ids'
import type { MicroUsd } from '../base/money'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantTable } from '../storage/tenant-table'
import { dayBehind, firstDayOf, parsePeriod, type Day, type Period } from './calendar'
import type { DaySheet } from './day-sheet'
import type { InvoiceInputs, MadeInvoice, PeriodCost } from './make-invoice'
import { overdueRow } from './overdue-invoices'
import type { StorageMeasure } from './rate-services'

/**
 * Rows of the billing table. A tenant's partition has its sheets (`day~2026-01-31`), what it held (`held~2026-01-31`), its invoices
 * (`invoice~2026-01`), its credits and its plans; the platform's has what is of no tenant alone, and lists of who has something.
 * Sheets, measures and invoices are inserted and never changed: of two who write one, both have the same to say.
 */
export interface BillingRows {
  putSheet(scope: TenantScope, sheet: DaySheet): Promise<void>
  /** In order of days; `to` exclusive. */
  sheets(scope: TenantScope, span: { from: Day; to: Day }): Promise<DaySheet[]>
  putHeld(scope: TenantScope, measure: StorageMeasure): Promise<void>
  held(scope: TenantScope, span: { from: Day; to: Day }): Promise<StorageMeasure[]>
  /** False where there is one of the month already. */
  insertInvoice(scope: TenantScope, invoice: IssuedInvoice): Promise<boolean>
  invoice(scope: TenantScope, period: Period): Promise<IssuedInvoice | undefined>
  /** From this month on, in order. */
  invoices(scope: TenantScope, from: Period | undefined, limit: number): Promise<IssuedInvoice[]>
  /** Notes that the tenant has a sheet or a measure of the month, before it is written. */
  noteBilled(period: Period, tenantId: TenantId): Promise<void>
  /** In order of ids, behind `after`. */
  billed(period: Period, after?: TenantId): AsyncIterable<TenantId>
  /** Who has an invoice of the month, in order of ids. */
  issuedTo(period: Period): AsyncIterable<TenantId>
  putSummary(summary: InvoiceSummary): Promise<void>
  summary(period: Period, tenantId: TenantId): Promise<InvoiceSummary | undefined>
  summaries(period: Period, page: { after?: TenantId | undefined; limit: number }): Promise<InvoiceSummary[]>
  /** What nobody used of provisioned throughput on a day. */
  putIdle(day: Day, idle: readonly IdleThroughput[]): Promise<void>
  idle(span: { from: Day; to: Day }): AsyncIterable<readonly IdleThroughput[]>
  /** Months before this one in which tenants had something, in order. */
  oldest(before: Period): AsyncIterable<{ readonly period: Period; readonly tenantId: TenantId }>
  /** Everything of a tenant's month, its place in the lists last; and credits that stood on its invoice. */
  removeMonth(scope: TenantScope, period: Period): Promise<void>
  /** Backends at accounts of tenants' own that were ever seen, those that are gone too. */
  ownAccounts(): Promise<ReadonlySet<BackendId>>
  noteOwnAccount(id: BackendId): Promise<void>
}

/** An invoice as it was issued, with all that it was made of but the sheets, which are rows of their own. */
export interface IssuedInvoice {
  readonly inputs: InvoiceInputs
  readonly made: MadeInvoice
  /** SHA-256 of the JSON of the sheets, in hex. */
  readonly sheetsSha256: string
  /** Unix milliseconds. */
  readonly issuedAt: number
}

/** What lists of a month's invoices and margins need, so that they open no invoice. */
export interface InvoiceSummary {
  readonly tenantId: TenantId
  readonly period: Period
  readonly billedTo: string
  readonly totalMicroUsd: MicroUsd
  readonly revenueMicroUsd: MicroUsd
  readonly cost: PeriodCost
  readonly issuedAt: number
}

export interface IdleThroughput {
  readonly backendId: BackendId
  /** Hours in which nobody used it. */
  readonly hours: number
  /** Their price, and what rounding left of the other hours'. */
  readonly microUsd: MicroUsd
}

export const billingStorage = { tables: ['billing'] } as const

const END = '~~'
/** The least text above an id: a range begins with its lower end. */
const JUST_AFTER = '!'

export function createBillingRows({
  tenantRows,
  platformRows,
}: {
  tenantRows: TenantTable<Columns>
  platformRows: PartitionTable<Columns>
}): BillingRows {
  const ofTenant = async <T>(scope: TenantScope, from: string, to: string, limit = Infinity): Promise<T[]> => {
    const found: T[] = []
    for await (const { columns } of tenantRows.range(scope, from, to))
      if (found.push(fromJsonColumns<T>(columns)) >= limit) break
    return found
  }
  const listed = async function* (start: string, after?: TenantId) {
    const from = after === undefined ? start : start + after + JUST_AFTER
    for await (const { rowKey } of platformRows.range(from, start + END, [])) {
      const tenantId = parseTenantId(rowKey.slice(start.length))
      if (tenantId) yield tenantId
    }
  }
  const get = async <T>(rows: Pick<PartitionTable<Columns>, 'get'>, rowKey: string) => {
    const row = await rows.get(rowKey)
    return row && fromJsonColumns<T>(row.columns)
  }
  return {
    putSheet: async (scope, sheet) => void (await tenantRows.insert(scope, `day~${sheet.day}`, toJsonColumns(sheet))),
    sheets: (scope, { from, to }) => ofTenant(scope, `day~${from}`, `day~${to}`),
    putHeld: async (scope, held) => void (await tenantRows.insert(scope, `held~${held.day}`, toJsonColumns(held))),
    held: (scope, { from, to }) => ofTenant(scope, `held~${from}`, `held~${to}`),
    insertInvoice: async (scope, invoice) =>
      (await tenantRows.insert(scope, `invoice~${invoice.inputs.period}`, toJsonColumns(invoice))).kind === 'written',
    invoice: (scope, period) => get(tenantRows.partition(scope), `invoice~${period}`),
    invoices: (scope, from, limit) => ofTenant(scope, `invoice~${from ?? ''}`, `invoice${END}`, limit),
    noteBilled: async (period, tenantId) => void (await platformRows.insert(`billed~${period}~${tenantId}`, {})),
    billed: (period, after) => listed(`billed~${period}~`, after),
    issuedTo: (period) => listed(`issued~${period}~`),
    putSummary: (summary) => platformRows.put(`issued~${summary.period}~${summary.tenantId}`, toJsonColumns(summary)),
    summary: (period, tenantId) => get(platformRows, `issued~${period}~${tenantId}`),
    summaries: async (period, { after, limit }) => {
      const start = `issued~${period}~`
      const found: InvoiceSummary[] = []
      const from = after === undefined ? start : start + after + JUST_AFTER
      for await (const { columns } of platformRows.range(from, start + END))
        if (found.push(fromJsonColumns<InvoiceSummary>(columns)) >= limit) break
      return found
    },
    putIdle: async (day, idle) => void (await platformRows.insert(`idle~${day}`, toJsonColumns(idle))),
    idle: async function* ({ from, to }) {
      for await (const { columns } of platformRows.range(`idle~${from}`, `idle~${to}`))
        yield fromJsonColumns<readonly IdleThroughput[]>(columns)
    },
    oldest: async function* (before) {
      // Whoever has an invoice or a sheet of a month stands in one of the lists.
      for (const list of ['billed', 'issued']) {
        for await (const { rowKey } of platformRows.range(`${list}~`, `${list}~${before}`)) {
          const [, month = '', owner = ''] = rowKey.split('~')
          const [period, tenantId] = [parsePeriod(month), parseTenantId(owner)]
          if (period && tenantId) yield { period, tenantId }
        }
      }
    },
    removeMonth: async (scope, period) => {
      const partition = tenantRows.partition(scope)
      const { from, to } = daysIn(period)
      for (const kind of ['day', 'held'])
        for await (const { rowKey } of partition.range(`${kind}~${from}`, `${kind}~${to}`))
          await partition.remove(rowKey)
      const invoice = await get<IssuedInvoice>(partition, `invoice~${period}`)
      for (const { id } of invoice?.inputs.credits ?? []) await partition.remove(`credit~${id}`)
      await partition.remove(`invoice~${period}`)
      // A tenant that is there has an invoice of every month: this one has gone, and its plans with it.
      if ((await ofTenant(scope, 'invoice~', `invoice${END}`, 1)).length === 0) {
        await partition.removeAll()
        await platformRows.remove(overdueRow(scope.tenantId))
      }
      for (const list of ['issued', 'billed']) await platformRows.remove(`${list}~${period}~${scope.tenantId}`)
    },
    ownAccounts: async () => {
      const found = new Set<BackendId>()
      for await (const { rowKey } of platformRows.range('own~', `own${END}`)) {
        const id = parseBackendId(rowKey.slice('own~'.length))
        if (id) found.add(id)
      }
      return found
    },
    noteOwnAccount: async (id) => void (await platformRows.insert(`own~${id}`, {})),
  }
}

/** All days of a month. */
export const daysIn = (period: Period) => ({ from: firstDayOf(period), to: dayBehind(period) })
