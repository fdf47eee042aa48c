import { trainingPrices, type TrainingPriceList, type TrainingPricesAt } from '../datasets/training-prices'
import { hostingPrices, type HostingPricesAt } from '../hosting/hosting-prices'
import type { PriceBook } from '../metering/price-book'
import type { OwnTokenPrice } from '../metering/prices'
import { dayOf, type Day } from './calendar'
import { entriesOf } from './price-changes'
import { holdsOn, type PriceEntry, type PriceOf } from './price-entry'

/**
 * Operators' own prices as this instance knows them, before the built-in lists: where calls, hosting and training are priced when they
 * happen. Nothing of it waits.
 */
export interface OwnPrices {
  /** From now on these are the ones. What a time in the past costs does not change by it (`price-changes.ts`). */
  use(entries: readonly PriceEntry[]): void
  readonly hostingAt: HostingPricesAt
  readonly trainingAt: TrainingPricesAt
}

const MICRO_USD_PER_USD = 1_000_000
/** Azure pauses a reinforcement job when it has cost this much, whatever an hour costs. */
const PAUSE_USD = 5_000

export function createOwnPrices(book: Pick<PriceBook, 'use'>): OwnPrices {
  let known: readonly PriceEntry[] = []
  const on = <Kind extends PriceEntry['kind']>(kind: Kind, day: Day) =>
    entriesOf(known, kind).filter((entry) => holdsOn(entry, day))
  return {
    use: (entries) => {
      known = entries
      book.use(entriesOf(entries, 'tokens').map(ownTokenPrice))
    },
    hostingAt: (atMs) => {
      const own = on('hosting', dayOf(atMs)).map(({ sku, microUsdPerHour }) => [
        sku,
        microUsdPerHour / MICRO_USD_PER_USD,
      ])
      const usdPerHour = { ...hostingPrices.usdPerHour, ...Object.fromEntries(own) }
      return own.length === 0 ? hostingPrices : { ...hostingPrices, usdPerHour }
    },
    trainingAt: (atMs) => {
      const own = on('training', dayOf(atMs))
      return own.length === 0
        ? trainingPrices
        : { ...trainingPrices, prices: [...own.map(trainingPrice), ...trainingPrices.prices] }
    },
  }
}

const ownTokenPrice = ({ model, from, to, batch, ...rates }: PriceOf<'tokens'>): OwnTokenPrice => ({
  model,
  from,
  to,
  rates,
  batchRates: batch,
})

function trainingPrice({ model, trainingType: type, price }: PriceOf<'training'>): TrainingPriceList['prices'][number] {
  const usd = price.microUsd / MICRO_USD_PER_USD
  return price.kind === 'per-million-tokens'
    ? { family: model, methods: ['supervised', 'dpo'], type, price: { kind: 'tokens', usdPerMillion: usd } }
    : {
        family: model,
        methods: ['reinforcement'],
        type,
        price: { kind: 'hours', usdPerHour: usd, pauseUsd: PAUSE_USD },
      }
}
