import type { Clock } from '../base/clock'
import { repeat } from '../base/clock'
import { describeError, type Log } from '../base/log'
import type { TrainingPriceList } from '../datasets/training-prices'
import type { HostingPriceList } from '../hosting/hosting-prices'
import type { PriceBook } from '../metering/price-book'
import type { OwnTokenPrice } from '../metering/prices'
import { dayOf } from './calendar'
import { entriesOf, entryOn } from './price-changes'
import type { PriceEntry } from './price-entry'
import type { PriceStore } from './price-store'

/** Below the lead that every price has (`price-store.ts`), with room for failures. */
const REFRESH_MS = 60_000
const MICRO_USD_PER_USD = 1_000_000

export interface LivePrices {
  /** Resolves when the price book has operators' own prices; rejects where storage does not answer. */
  refresh(): Promise<void>
  stop(): Promise<void>
}

/** Keeps the price book of this instance up to date with operators' own prices, off every call's way. */
export function createLivePrices({
  prices,
  book,
  clock,
  log,
}: {
  prices: Pick<PriceStore, 'read'>
  book: Pick<PriceBook, 'use'>
  clock: Clock
  log: Log
}): LivePrices {
  let known = -1
  const refresh = async () => {
    const { entries, version } = await prices.read()
    if (version === known) return
    book.use(entriesOf(entries, 'tokens').map(ownTokenPrice))
    known = version
  }
  const onError = (error: unknown) =>
    log.error('operators’ own prices could not be read', { error: describeError(error) })
  const refreshing = repeat({ clock, onError }, REFRESH_MS, refresh)
  return { refresh, stop: () => refreshing.stop() }
}

const ownTokenPrice = ({
  model,
  from,
  to,
  batch,
  ...rates
}: Extract<PriceEntry, { kind: 'tokens' }>): OwnTokenPrice => ({
  model,
  from,
  to,
  rates,
  batchRates: batch,
})

/** The hosting prices of a day: operators' own before the list's. */
export function hostingPricesOn(
  list: HostingPriceList,
  entries: readonly PriceEntry[],
  atMs: number,
): HostingPriceList {
  const day = dayOf(atMs)
  const own = entriesOf(entries, 'hosting').filter((entry) => entryOn([entry], day))
  if (own.length === 0) return list
  const usdPerHour = Object.fromEntries(
    own.map(({ sku, microUsdPerHour }) => [sku, microUsdPerHour / MICRO_USD_PER_USD]),
  )
  return { ...list, usdPerHour: { ...list.usdPerHour, ...usdPerHour } }
}

/** The training prices of a day: operators' own before the list's. */
export function trainingPricesOn(
  list: TrainingPriceList,
  entries: readonly PriceEntry[],
  atMs: number,
): TrainingPriceList {
  const day = dayOf(atMs)
  const own = entriesOf(entries, 'training').filter((entry) => entryOn([entry], day))
  return own.length === 0 ? list : { ...list, prices: [...own.map(trainingPrice), ...list.prices] }
}

/** Azure pauses reinforcement at this much; a price of ours says nothing of it. */
const PAUSE_USD = 5_000

function trainingPrice({ model, trainingType: type, price }: Extract<PriceEntry, { kind: 'training' }>) {
  const usd = price.microUsd / MICRO_USD_PER_USD
  return price.kind === 'per-million-tokens'
    ? {
        family: model,
        methods: ['supervised', 'dpo'] as const,
        type,
        price: { kind: 'tokens', usdPerMillion: usd } as const,
      }
    : {
        family: model,
        methods: ['reinforcement'] as const,
        type,
        price: { kind: 'hours', usdPerHour: usd, pauseUsd: PAUSE_USD } as const,
      }
}
