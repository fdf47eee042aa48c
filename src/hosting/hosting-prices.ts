import type { DeploymentSku } from '../registry/model-version'

/** What a deployment of a tuned model costs for each hour that it is there, used or not; USD, as price lists print it. */
export interface HostingPriceList {
  /** The day on which the source was read, or its own date where it has one. */
  readonly asOf: string
  readonly source: string
  readonly usdPerHour: Readonly<Partial<Record<DeploymentSku, number>>>
}

/** The list as it is at a time, Unix milliseconds: the same whenever it is asked for a time in the past, since hosting is booked by it. */
export type HostingPricesAt = (atMs: number) => HostingPriceList

/** Of a sku that is missing the price is not known: its hours count as unpriced, at no cost. Operators' own prices go before it. */
export const hostingPrices: HostingPriceList = {
  asOf: '2026-03',
  source: 'Microsoft, "Cost management for fine-tuning": its examples; the developer tier has no hosting fee',
  usdPerHour: { Standard: 1.7, GlobalStandard: 1.7, DeveloperTier: 0 },
}
