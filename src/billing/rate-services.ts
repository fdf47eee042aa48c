import type { MicroUsd } from '../base/money'
import { daysBetween, type Day } from './calendar'
import type { DaySheet, Service, SheetItem } from './day-sheet'
import { sumOf, type InvoiceLine, type LineUnit, type Segment } from './invoice-line'
import type { Plan } from './plan'
import { entryOn } from './price-changes'
import type { PriceOf } from './price-entry'
import { byModel, markedUp, markUpText, total, unpricedIn } from './rate-inference'
import { roundedQuotient } from './rounding'

/** Bytes that a tenant held on a day, as measured on it. */
export interface StorageMeasure {
  readonly day: Day
  readonly bytes: number
}

const GIB = 1_073_741_824n
const BASIS_POINTS = 10_000n

interface Billed {
  readonly text: string
  readonly unit: LineUnit
  readonly quantityOf: (items: readonly SheetItem[]) => number
}

const billed: Readonly<Record<Exclude<Service, 'inference'>, Billed>> = {
  batch: {
    text: 'batches',
    unit: 'tokens',
    quantityOf: (items) => total(items, 'promptTokens') + total(items, 'outputTokens'),
  },
  training: { text: 'training', unit: 'tokens', quantityOf: (items) => total(items, 'promptTokens') },
  hosting: { text: 'hosting', unit: 'hours', quantityOf: (items) => total(items, 'calls') },
}

/** Batches, training and hosting in a part of a month: the price book's price of each, marked up by the plan; pure. */
export function rateServices({ services }: Plan, { from, to }: Segment, items: readonly SheetItem[]): InvoiceLine[] {
  return (['batch', 'training', 'hosting'] as const).flatMap((kind) =>
    byModel(items.filter(({ service }) => service === kind)).flatMap((group): InvoiceLine[] => {
      const [first] = group
      if (!first) return []
      const { alias, model } = first
      const { unit, quantityOf, text } = billed[kind]
      const listMicroUsd = total(group, 'listMicroUsd')
      const microUsd = markedUp(listMicroUsd, services[kind])
      const named = { kind, text: `${alias} (${model}), ${text}${markUpText(services[kind])}`, from, to, alias, model }
      return [{ ...named, quantity: quantityOf(group), unit, listMicroUsd, microUsd, ...unpricedIn(group) }]
    }),
  )
}

/** Shares of provisioned throughput, for plans that bill them. */
export function rateProvisioned(
  { services, provisioned }: Plan,
  { from, to }: Segment,
  sheets: readonly DaySheet[],
): InvoiceLine[] {
  if (provisioned !== 'by-cost') return []
  const shares = Map.groupBy(
    sheets.flatMap((sheet) => sheet.provisioned),
    ({ backendId }) => backendId,
  )
  return [...shares]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([of, parts]) => {
      const listMicroUsd = sumOf(parts)
      const quantity = parts.reduce((sum, { tokens }) => sum + tokens, 0)
      const text = `Share of provisioned throughput${markUpText(services.provisioned)}`
      const microUsd = markedUp(listMicroUsd, services.provisioned)
      return { kind: 'provisioned', text, from, to, of, quantity, unit: 'tokens', listMicroUsd, microUsd }
    })
}

export type StoragePrices = readonly PriceOf<'storage'>[]

/** Bytes by the day at the day's price for a GiB and month, rounded once for the whole part of the month. */
export function rateStorage(
  { services }: Plan,
  segment: Segment,
  measures: readonly StorageMeasure[],
  prices: StoragePrices,
): InvoiceLine[] {
  const { from, to } = segment
  const quantity = measures.reduce((sum, { bytes }) => sum + bytes, 0)
  if (quantity === 0) return []
  const isPriced = daysBetween(from, to).some((day) => entryOn(prices, day))
  const text = isPriced ? `Storage${markUpText(services.storage)}` : 'Storage, for which there is no price'
  const listMicroUsd = storageCost(measures, prices, { days: segment.days })
  const microUsd = storageCost(measures, prices, { days: segment.days, basisPoints: services.storage })
  return [{ kind: 'storage', text, from, to, quantity, unit: 'byte-days', listMicroUsd, microUsd }]
}

export function storageCost(
  measures: readonly StorageMeasure[],
  prices: StoragePrices,
  { days, basisPoints = 0 }: { days: number; basisPoints?: number },
): MicroUsd {
  let bytePrices = 0n
  for (const { day, bytes } of measures)
    bytePrices += BigInt(bytes) * BigInt(entryOn(prices, day)?.microUsdPerGibMonth ?? 0)
  return roundedQuotient(bytePrices * (BASIS_POINTS + BigInt(basisPoints)), GIB * BigInt(days) * BASIS_POINTS)
}

/** A day without a measure of its own has that of the day before it; days before the first have none. */
export function filledMeasures(measures: readonly StorageMeasure[], days: readonly Day[]): StorageMeasure[] {
  const inOrder = [...measures].sort((a, b) => (a.day < b.day ? -1 : 1))
  return days.flatMap((day) => {
    const last = inOrder.findLast((measure) => measure.day <= day)
    return last && last.bytes > 0 ? [{ day, bytes: last.bytes }] : []
  })
}
