import type { BackendId } from '../base/ids'
import type { MicroUsd } from '../base/money'
import type { GroupSums, UsageGroup } from '../usage/usage-sums'
import type { Day } from './calendar'

/** What a tenant used on one day, as bills see it. Made when the day is closed, and never changed. */
export interface DaySheet {
  readonly day: Day
  /** In the order of what tells them apart. */
  readonly items: readonly SheetItem[]
  /** Its part of what provisioned throughput costs by the hour, used or not; in order of backends. */
  readonly provisioned: readonly ProvisionedShare[]
}

export interface SheetItem {
  readonly alias: string
  readonly model: string
  readonly service: Service
  readonly placement: Placement
  /** Answered to the end, or in part. Of hosting: hours of the clock in which the model was there. */
  readonly calls: number
  readonly promptTokens: number
  /** Part of `promptTokens`. */
  readonly cachedTokens: number
  readonly outputTokens: number
  /** What the price book said of these calls, each by itself when it ended. */
  readonly listMicroUsd: MicroUsd
  /** Those of `calls` for which the price book had no price. */
  readonly unpriced: number
  /** What the provider takes by the price book for these and for calls that brought the tenant nothing. */
  readonly costMicroUsd: MicroUsd
}

export type Service = 'inference' | 'batch' | 'training' | 'hosting'

/** By who pays the provider for it, and how. */
export type Placement =
  /** The platform, by the call. */
  | 'metered'
  /** The platform, by the hour, used or not: its provisioned throughput has a price. */
  | 'provisioned'
  /** The tenant itself. */
  | 'own-account'

export interface ProvisionedShare {
  readonly backendId: BackendId
  readonly tokens: number
  readonly microUsd: MicroUsd
}

/** Where calls of a backend stand on a day. */
export type PlacementOf = (backend: string | null) => Placement

/** More than a tenant has aliases and tuned models at a time; of the longest names a row of storage has room for 900. */
const ITEMS_MAX = 700
/** In place of the aliases that are too many. */
const OTHERS = '(others)'

/** The items of a day's usage, in whatever pieces and order it comes; pure. */
export function itemsOf(groups: Iterable<GroupSums>, placementOf: PlacementOf): SheetItem[] {
  const items = new Map<string, Counted>()
  for (const { group, sums } of groups) {
    const item = itemFor(items, group, placementOf(group.backend))
    item.costMicroUsd += sums.costMicroUsd
    if (!brought(group)) continue
    item.calls += sums.calls
    item.promptTokens += sums.promptTokens
    item.cachedTokens += sums.cachedTokens
    item.outputTokens += sums.outputTokens
    item.listMicroUsd += sums.costMicroUsd
    item.unpriced += sums.unpriced
  }
  const inOrder = [...items.entries()]
    .filter(([, item]) => item.calls > 0 || item.costMicroUsd > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, item]) => item)
  return inOrder.length <= ITEMS_MAX ? inOrder : [...inOrder.slice(0, ITEMS_MAX), ...merged(inOrder.slice(ITEMS_MAX))]
}

/** Without their aliases; models are those of the catalogue, which are few. */
function merged(items: readonly SheetItem[]): SheetItem[] {
  const byModel = Map.groupBy(items, ({ service, model, placement }) => JSON.stringify([service, model, placement]))
  return [...byModel.values()].flatMap((group) => {
    const [first] = group
    if (!first) return []
    const sums = sumFields.map((field) => [field, group.reduce((sum, item) => sum + item[field], 0)])
    return [{ ...first, alias: OTHERS, ...Object.fromEntries(sums) }]
  })
}

const sumFields = [
  'calls',
  'promptTokens',
  'cachedTokens',
  'outputTokens',
  'listMicroUsd',
  'unpriced',
  'costMicroUsd',
] as const satisfies readonly (keyof SheetItem)[]

type Counted = { -readonly [Field in keyof SheetItem]: SheetItem[Field] }

/** Whether the tenant got something for it. */
const brought = ({ outcome }: UsageGroup) => outcome === 'completed' || outcome === 'interrupted'

function itemFor(items: Map<string, Counted>, { alias, model, operation }: UsageGroup, placement: Placement): Counted {
  const service = serviceOf(operation)
  const key = JSON.stringify([service, alias, model, placement])
  let item = items.get(key)
  if (!item) {
    const none = { calls: 0, promptTokens: 0, cachedTokens: 0, outputTokens: 0, listMicroUsd: 0, unpriced: 0 }
    items.set(key, (item = { alias, model, service, placement, ...none, costMicroUsd: 0 }))
  }
  return item
}

/** As src/batches, src/tuning and src/hosting name what they book. */
function serviceOf(operation: string): Service {
  if (operation.startsWith('batch.')) return 'batch'
  if (operation === 'fine_tuning.training') return 'training'
  return operation === 'fine_tuning.hosting' ? 'hosting' : 'inference'
}

/**
 * What provisioned throughput is shared out by: tokens that it worked for, which cached ones are not. As Azure counts its utilization,
 * (prompt − cached) + ratio × output, but without the ratio, which differs from model to model; a backend serves one model.
 */
export const workTokens = ({ sums }: GroupSums): number =>
  Math.max(0, sums.promptTokens - sums.cachedTokens) + sums.outputTokens
