import type { Clock } from '../base/clock'
import { idTimeMs, type TenantId } from '../base/ids'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantRecord } from '../tenants/tenant-record'
import type { UsageReader } from '../usage/usage-reader'
import type { GroupSums } from '../usage/usage-sums'
import { daysIn, type BillingRows, type IssuedInvoice } from './billing-rows'
import { dayAfter, dayOf, dayStartMs, earlier, later, periodOf, type Day, type Period } from './calendar'
import type { Credits } from './credits'
import { itemsOf, type DaySheet } from './day-sheet'
import type { InvoiceInputs } from './make-invoice'
import { ownAccounts, placementsOn, type PlacementsDeps } from './placements'
import type { Plans } from './plans'
import { entriesOf } from './price-changes'
import type { PriceStore } from './price-store'
import { holdsOn } from './price-entry'

export interface InputsDeps extends PlacementsDeps {
  readonly usage: UsageReader
  readonly rows: BillingRows
  readonly plans: Pick<Plans, 'read'>
  readonly credits: Credits
  readonly prices: Pick<PriceStore, 'read'>
  readonly tenantRecord: (scope: TenantScope) => Promise<Pick<TenantRecord, 'displayName'> | undefined>
  /** When a tenant's offboarding began, Unix milliseconds; undefined for one that stays. */
  readonly leftAt: (tenantId: TenantId) => Promise<number | undefined>
  readonly clock: Clock
}

/** What was held before a month counts for its first days, where these were not measured. */
const HELD_BEFORE_DAYS = 7
const MINUTE_MS = 60_000

/** The month in which a tenant came to be. */
export const firstPeriodOf = (tenantId: TenantId): Period => periodOf(dayOf(idTimeMs(tenantId)))

/** What an invoice of the month is made of as of now. `before` is the invoice of the month before, where there is one. */
export async function gatherInputs(
  deps: InputsDeps,
  scope: TenantScope,
  { period, before, lateMicroUsd }: { period: Period; before: IssuedInvoice | undefined; lateMicroUsd: number },
): Promise<InvoiceInputs> {
  const { tenantId } = scope
  const span = daysIn(period)
  const [record, leftAt, { plans }, { entries }, credits, storage] = await Promise.all([
    deps.tenantRecord(scope),
    deps.leftAt(tenantId),
    deps.plans.read(scope),
    deps.prices.read(),
    deps.credits.open(scope),
    deps.rows.held(scope, { from: dayAfter(span.from, -HELD_BEFORE_DAYS), to: span.to }),
  ])
  const left = leftAt === undefined ? span.to : dayAfter(dayOf(leftAt))
  return {
    tenantId,
    period,
    // Of a tenant that is gone the last invoice knows the name.
    billedTo: record?.displayName ?? before?.inputs.billedTo ?? tenantId,
    served: { from: later(span.from, dayOf(idTimeMs(tenantId))), to: earlier(span.to, left) },
    plans: plans.filter(({ from }, index) => from < span.to && (plans[index + 1]?.from ?? span.to) > span.from),
    storage,
    storagePrices: entriesOf(entries, 'storage').filter(
      (entry) => entry.from < span.to && (holdsOn(entry, span.from) || entry.from >= span.from),
    ),
    credits,
    carriedOverMicroUsd: before?.made.carriedForwardMicroUsd ?? 0,
    lateMicroUsd,
  }
}

/** As the log has these days now, whether they are closed or not, without shares of provisioned throughput. */
export async function readSheets(
  deps: Pick<InputsDeps, 'usage' | 'prices' | 'backends' | 'rows' | 'clock'>,
  scope: TenantScope,
  { from, to }: { from: Day; to: Day },
): Promise<DaySheet[]> {
  const endMs = Math.min(dayStartMs(to), Math.ceil(deps.clock.now() / MINUTE_MS) * MINUTE_MS)
  if (dayStartMs(from) >= endMs) return []
  const { entries } = await deps.prices.read()
  const own = await ownAccounts(deps)
  const byDay = new Map<Day, GroupSums[]>()
  for await (const { startMs, groups } of deps.usage.read(scope, { fromMs: dayStartMs(from), toMs: endMs }, 'day')) {
    const day = dayOf(startMs)
    const known = byDay.get(day)
    if (known) known.push(...groups)
    else byDay.set(day, [...groups])
  }
  return [...byDay].map(([day, groups]) => ({
    day,
    items: itemsOf(groups, placementsOn(day, { own, entries })),
    provisioned: [],
  }))
}

export const closedPart = ({ from, to }: { from: Day; to: Day }, openDay: Day) => ({ from, to: earlier(to, openDay) })
export const openPart = ({ from, to }: { from: Day; to: Day }, openDay: Day) => ({ from: later(from, openDay), to })
