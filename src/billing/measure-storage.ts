import type { Clock } from '../base/clock'
import { eachOf } from '../base/each-of'
import { parseTenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { Shelf } from '../files/shelf'
import { SHELF_ROW } from '../files/shelves'
import { fromJsonColumns } from '../storage/json-columns'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantsRows } from '../storage/tenants-rows'
import type { BillingRows } from './billing-rows'
import { dayOf, periodOf } from './calendar'

/** Tenants noted side by side, two rows each. */
const TENANTS_AT_ONCE = 8

interface MeasureStorageDeps {
  /** A reader of all tenants' shelves (I4): how much lies on them, as src/files counts it; datasets are files. */
  readonly everyShelf: TenantsRows
  readonly rows: Pick<BillingRows, 'putHeld' | 'noteBilled'>
  readonly clock: Clock
  readonly log: Log
}

/**
 * Notes how many bytes each tenant holds; of how many there was something to note. Once a day counts: what comes later finds it done, so
 * it can run as often as it likes, and a day on which it did not run at all is billed as the day before.
 */
export async function measureStorage({ everyShelf, rows, clock, log }: MeasureStorageDeps): Promise<number> {
  const day = dayOf(clock.now())
  let measured = 0
  await eachOf(everyShelf(SHELF_ROW), TENANTS_AT_ONCE, async ({ tenantId: owner, columns }) => {
    const tenantId = parseTenantId(owner)
    if (!tenantId) return
    try {
      const { bytes } = fromJsonColumns<Shelf>(columns)
      if (bytes > 0) await rows.noteBilled(periodOf(day), tenantId)
      await rows.putHeld(TenantScope.ofPlatform(tenantId), { day, bytes })
      measured += 1
    } catch (error) {
      log.warn('what a tenant holds could not be noted', { tenantId, error: describeError(error) })
    }
  })
  return measured
}
