import { repeat, type Clock } from '../base/clock'
import { describeError, type Log } from '../base/log'
import type { OwnPrices } from './own-prices'
import type { PriceStore } from './price-store'

/** A tenth of the lead that every price has (`price-store.ts`), so that a few failures do no harm. */
const REFRESH_MS = 60_000

export interface LivePrices {
  /** Resolves when this instance has operators' own prices; rejects where storage does not answer. */
  refresh(): Promise<void>
  stop(): Promise<void>
}

/** Keeps this instance's prices up to date, off every call's way. */
export function createLivePrices({
  prices,
  ownPrices,
  clock,
  log,
}: {
  prices: Pick<PriceStore, 'read'>
  ownPrices: Pick<OwnPrices, 'use'>
  clock: Clock
  log: Log
}): LivePrices {
  let known: number | undefined
  const refresh = async () => {
    const { entries, version } = await prices.read()
    if (version === known) return
    ownPrices.use(entries)
    known = version
  }
  const onError = (error: unknown) =>
    log.error('operators’ own prices could not be read', { error: describeError(error) })
  const refreshing = repeat({ clock, onError }, REFRESH_MS, refresh)
  return { refresh, stop: () => refreshing.stop() }
}
