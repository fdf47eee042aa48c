import { eachOf } from '../base/each-of'
import type { Clock } from '../base/clock'
import type { BackendId, TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { MicroUsd } from '../base/money'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantsWithUsage } from '../usage/tenants-with-usage'
import type { UsageReader } from '../usage/usage-reader'
import type { GroupSums } from '../usage/usage-sums'
import type { BillingRows } from './billing-rows'
import { DAY_MS, dayAfter, dayStartMs, periodOf, type Day } from './calendar'
import type { Closing } from './closing-state'
import { itemsOf, type DaySheet, type PlacementOf } from './day-sheet'
import { noteOwnAccounts, ownAccounts, placementsOn, type PlacementsDeps } from './placements'
import type { PriceStore } from './price-store'
import { provisionedHours } from './provisioned-price'
import { addTokens, idleOf, noTokens, sharesOf, type HourPrices, type HourTokens } from './share-throughput'

interface CloseDaysDeps extends PlacementsDeps {
  readonly usage: UsageReader
  /** Who used anything: the one look across tenants here (I4). */
  readonly tenantsWithUsage: TenantsWithUsage
  /** The hour before which every log blob is rolled up to its end; undefined while there is no log. */
  readonly rolledUpBefore: () => Promise<number | undefined>
  readonly rows: BillingRows
  readonly prices: Pick<PriceStore, 'settle'>
  readonly closing: Closing
  readonly clock: Clock
  readonly log: Log
}

/** A call counts in an hour at most so long before the hour of the blob that has it (`run-roll-up.ts`). */
const LATE_MS = DAY_MS
/** Below the half hour that the Functions host gives an invocation. Days that are left come the next time. */
const RUN_MS_MAX = 20 * 60_000
/** Of tenants, whose usage is read one page after another. */
const TENANTS_AT_ONCE = 8

/**
 * Makes the sheets of every day whose usage cannot grow any more; how many days there were. A sheet is a function of the day's usage and
 * of prices that are settled before the first one is made, so whoever does a day again, or at the same time, writes the same; a run that
 * broke off goes on with the day in which it did.
 */
export async function closeDays(deps: CloseDaysDeps): Promise<number> {
  const { clock, closing, log } = deps
  const endsAtMs = clock.monotonicMs() + RUN_MS_MAX
  await noteOwnAccounts(deps)
  const own = await ownAccounts(deps)
  const finalBeforeMs = await finalBefore(deps)
  let { openDay: day } = await closing.read()
  // So that the month with which billing begins is on record.
  await closing.advance({ openDay: day })
  let closed = 0
  for (; dayStartMs(dayAfter(day)) <= finalBeforeMs; day = dayAfter(day)) {
    if (clock.monotonicMs() >= endsAtMs) {
      log.warn('closing days takes longer than its time', { closed, day })
      break
    }
    await closeDay(deps, day, own)
    await closing.advance({ openDay: dayAfter(day) })
    closed += 1
  }
  return closed
}

/** No call can come to count before it any more, Unix milliseconds. */
async function finalBefore({ rolledUpBefore, clock }: CloseDaysDeps): Promise<number> {
  // Without a log nothing was ever used, and days are over by the clock alone.
  return Math.min(clock.now(), (await rolledUpBefore()) ?? Infinity) - LATE_MS
}

async function closeDay(deps: CloseDaysDeps, day: Day, own: ReadonlySet<BackendId>): Promise<void> {
  const entries = await deps.prices.settle(day)
  const prices = provisionedHours(entries, day)
  const placementOf = placementsOn(day, { own, entries })
  const all = await countTokens(deps, day, prices)
  const shared = new Map<BackendId, MicroUsd>()
  await ofEachTenant(deps, day, async (tenantId) => {
    const sheet = await sheetOf(deps, { tenantId, day, placementOf, prices, all })
    for (const { backendId, microUsd } of sheet.provisioned)
      shared.set(backendId, (shared.get(backendId) ?? 0) + microUsd)
    if (sheet.items.length === 0 && sheet.provisioned.length === 0) return
    await deps.rows.noteBilled(periodOf(day), tenantId)
    await deps.rows.putSheet(TenantScope.ofPlatform(tenantId), sheet)
  })
  if (prices.size > 0) await deps.rows.putIdle(day, idleOf(all, prices, shared))
}

/** The sums that shares are shares of; nothing is read where no provisioned throughput has a price. */
async function countTokens(deps: CloseDaysDeps, day: Day, prices: HourPrices): Promise<HourTokens> {
  const all: HourTokens = new Map([...prices.keys()].map((id) => [id, noTokens()]))
  if (prices.size === 0) return all
  await ofEachTenant(deps, day, async (tenantId) => {
    for await (const piece of hoursOf(deps, tenantId, day)) addTokens(all, prices, day, piece)
  })
  return all
}

interface SheetParts {
  readonly tenantId: TenantId
  readonly day: Day
  readonly placementOf: PlacementOf
  readonly prices: HourPrices
  readonly all: HourTokens
}

async function sheetOf(
  deps: CloseDaysDeps,
  { tenantId, day, placementOf, prices, all }: SheetParts,
): Promise<DaySheet> {
  const own: HourTokens = new Map()
  const groups: GroupSums[] = []
  for await (const piece of hoursOf(deps, tenantId, day)) {
    addTokens(own, prices, day, piece)
    groups.push(...piece.groups)
  }
  return { day, items: itemsOf(groups, placementOf), provisioned: sharesOf(own, all, prices) }
}

const hoursOf = ({ usage }: CloseDaysDeps, tenantId: TenantId, day: Day) =>
  usage.read(TenantScope.ofPlatform(tenantId), { fromMs: dayStartMs(day), toMs: dayStartMs(day) + DAY_MS }, 'hour')

/** The first failure is thrown: shares of what all used cannot be told without one of them. */
async function ofEachTenant(
  { tenantsWithUsage, log }: CloseDaysDeps,
  day: Day,
  work: (tenantId: TenantId) => Promise<void>,
): Promise<void> {
  const span = { fromMs: dayStartMs(day), toMs: dayStartMs(day) + DAY_MS }
  await eachOf(tenantsWithUsage(span), TENANTS_AT_ONCE, async (tenantId) => {
    try {
      await work(tenantId)
    } catch (error) {
      log.error('a day cannot be closed for a tenant', { tenantId, day, error: describeError(error) })
      throw error
    }
  })
}
