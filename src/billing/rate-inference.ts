import { assertNever } from '../base/assert'
import type { MicroUsd } from '../base/money'
import type { SheetItem } from './day-sheet'
import type { InvoiceLine, Segment } from './invoice-line'
import type { Plan, TokenPricing } from './plan'
import { roundedQuotient, upTo } from './rounding'

const BASIS_POINTS = 10_000n
const MILLION = 1_000_000n

/** `microUsd` with a mark-up in hundredths of a percent, half up. */
export const markedUp = (microUsd: MicroUsd, basisPoints: number): MicroUsd =>
  roundedQuotient(BigInt(microUsd) * (BASIS_POINTS + BigInt(basisPoints)), BASIS_POINTS)

/**
 * What a tenant pays for calls in a part of a month, by its plan; pure. `items` are those of the part that calls are billed by. Monthly
 * amounts and quotas count by days (R2 of rounding.ts); tiers begin anew with each plan.
 */
export function rateInference(plan: Plan, segment: Segment, items: readonly SheetItem[]): InvoiceLine[] {
  switch (plan.kind) {
    case 'per-token':
    case 'minimum':
      return rateTokens(plan, segment, items)
    case 'per-request':
      return rateRequests(plan, segment, items)
    case 'subscription':
      return rateSubscription(plan, segment, items)
    default:
      return assertNever(plan)
  }
}

/** Items of equal alias and model, whatever their day and place, in the order in which they are first met. */
export function byModel(items: readonly SheetItem[]): SheetItem[][] {
  return [...Map.groupBy(items, ({ alias, model }) => JSON.stringify([alias, model])).entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => group)
}

export const total = (items: readonly SheetItem[], field: NumberField): number =>
  items.reduce((sum, item) => sum + item[field], 0)
type NumberField = { [F in keyof SheetItem]: SheetItem[F] extends number ? F : never }[keyof SheetItem]

const tokensOf = (items: readonly SheetItem[]) => total(items, 'promptTokens') + total(items, 'outputTokens')

export const unpricedIn = (items: readonly SheetItem[]): Pick<InvoiceLine, 'unpriced'> => {
  const unpriced = total(items, 'unpriced')
  return unpriced > 0 ? { unpriced } : {}
}

function rateTokens(pricing: TokenPricing, { from, to }: Segment, items: readonly SheetItem[]): InvoiceLine[] {
  return byModel(items).flatMap((group): InvoiceLine[] => {
    const [first] = group
    if (!first) return []
    const { alias, model } = first
    const own = ownPriceOf(pricing, model)
    const listMicroUsd = total(group, 'listMicroUsd')
    const common = {
      kind: 'inference' as const,
      from,
      to,
      alias,
      model,
      quantity: tokensOf(group),
      unit: 'tokens' as const,
    }
    if (own) {
      const text = `${alias} (${model}), tokens at the plan’s own price`
      return [{ ...common, text, listMicroUsd, microUsd: atOwnPrice(own, group) }]
    }
    const text = `${alias} (${model}), tokens at list price${markUpText(pricing.markUpBasisPoints)}`
    const microUsd = markedUp(listMicroUsd, pricing.markUpBasisPoints)
    return [{ ...common, text, listMicroUsd, microUsd, ...unpricedIn(group) }]
  })
}

export const markUpText = (basisPoints: number) =>
  basisPoints === 0 ? '' : `, ${basisPoints > 0 ? '+' : '−'}${Math.abs(basisPoints) / 100} %`

type OwnPrice = TokenPricing['models'][string]

/** A dated release has the price of its family, as in the price book. */
const RELEASE_DATE = /-\d{4}-\d{2}-\d{2}$/
const ownPriceOf = ({ models }: TokenPricing, model: string): OwnPrice | undefined =>
  [model, model.replace(RELEASE_DATE, '')].flatMap((name) => (Object.hasOwn(models, name) ? [models[name]] : []))[0]

function atOwnPrice({ input, cachedInput = input, output }: OwnPrice, items: readonly SheetItem[]): MicroUsd {
  const cachedTokens = items.reduce((sum, item) => sum + Math.min(item.cachedTokens, item.promptTokens), 0)
  const product = (tokens: number, price: number) => BigInt(tokens) * BigInt(price)
  const microUsdMillions =
    product(total(items, 'promptTokens') - cachedTokens, input) +
    product(cachedTokens, cachedInput) +
    product(total(items, 'outputTokens'), output)
  return roundedQuotient(microUsdMillions, MILLION)
}

/** Each request has the price of the tier that it falls into; a line for each tier that was reached. */
function rateRequests(
  { tiers }: Extract<Plan, { kind: 'per-request' }>,
  { from, to }: Segment,
  items: readonly SheetItem[],
): InvoiceLine[] {
  const requests = total(items, 'calls')
  let below = 0
  return tiers.flatMap(({ upToRequests, microUsdPerRequest }): InvoiceLine[] => {
    const quantity = Math.max(0, Math.min(requests, upToRequests ?? requests) - below)
    const text = `Requests ${below + 1} to ${upToRequests ?? 'any'}`
    below = upToRequests ?? below
    const microUsd = roundedQuotient(BigInt(quantity) * BigInt(microUsdPerRequest), 1n)
    const line = {
      kind: 'requests' as const,
      text,
      from,
      to,
      quantity,
      unit: 'requests' as const,
      listMicroUsd: 0,
      microUsd,
    }
    return quantity > 0 ? [line] : []
  })
}

function rateSubscription(
  { microUsdPerMonth, quota }: Extract<Plan, { kind: 'subscription' }>,
  segment: Segment,
  items: readonly SheetItem[],
): InvoiceLine[] {
  const { from, to, begins, ends, days } = segment
  const fee = partOf(microUsdPerMonth, segment)
  const included = partOf(quota.included, segment)
  const used = quota.kind === 'tokens' ? tokensOf(items) : total(items, 'calls')
  const beyond = Math.max(0, used - included)
  const price = quota.kind === 'tokens' ? quota.microUsdPerMillion : quota.microUsdPerRequest
  const microUsd = roundedQuotient(BigInt(beyond) * BigInt(price), quota.kind === 'tokens' ? MILLION : 1n)
  const span = ends - begins === days ? 'the month' : `${ends - begins} of ${days} days`
  const subscription: InvoiceLine = {
    kind: 'subscription',
    text: `Subscription for ${span}, ${included} ${quota.kind} included`,
    from,
    to,
    quantity: 1,
    unit: 'months',
    listMicroUsd: 0,
    microUsd: fee,
  }
  if (beyond === 0) return [subscription]
  const text = `${quota.kind === 'tokens' ? 'Tokens' : 'Requests'} beyond the ${included} included, of ${used}`
  const overage = { from, to, quantity: beyond, unit: quota.kind, listMicroUsd: 0, microUsd }
  return [subscription, { kind: 'overage', text, ...overage }]
}

/** Of something monthly. */
export const partOf = (monthly: number, { begins, ends, days }: Segment): number =>
  upTo(monthly, ends, days) - upTo(monthly, begins, days)
