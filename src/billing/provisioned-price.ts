import type { BackendId } from '../base/ids'
import type { MicroUsd } from '../base/money'
import { daysOf, firstDayOf, HOURS_PER_DAY, periodOf, DAY_MS, dayStartMs, type Day } from './calendar'
import { entriesOf } from './price-changes'
import { holdsOn, type PriceEntry, type PriceOf } from './price-entry'
import { upTo } from './rounding'

/** What each hour of a day costs at backends whose provisioned throughput has a price then: 24 amounts, from midnight on. */
export function provisionedHours(entries: readonly PriceEntry[], day: Day): Map<BackendId, readonly MicroUsd[]> {
  const priced = entriesOf(entries, 'provisioned').filter((entry) => holdsOn(entry, day))
  return new Map(
    priced.map(({ backendId, price }) => [
      backendId,
      Array.from({ length: HOURS_PER_DAY }, (_, hour) => priceOfHour(price, day, hour)),
    ]),
  )
}

/** A month's price runs evenly over its hours, so that they add up to it (R2 of rounding.ts). */
function priceOfHour(price: PriceOf<'provisioned'>['price'], day: Day, hour: number): MicroUsd {
  if (price.kind === 'per-hour') return price.microUsd
  const period = periodOf(day)
  const before = ((dayStartMs(day) - dayStartMs(firstDayOf(period))) / DAY_MS) * HOURS_PER_DAY + hour
  const all = daysOf(period).length * HOURS_PER_DAY
  return upTo(price.microUsd, before + 1, all) - upTo(price.microUsd, before, all)
}
