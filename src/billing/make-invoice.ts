import type { TenantId } from '../base/ids'
import type { MicroUsd } from '../base/money'
import { boundedLines } from './bounded-lines'
import { dayBehind, daysBetween, daysOf, firstDayOf, type Day, type Period } from './calendar'
import type { Credit } from './credit'
import type { DaySheet, SheetItem } from './day-sheet'
import { isCarried, sumOf, type InvoiceLine, type Segment } from './invoice-line'
import { planOn, type DatedPlan, type Plan } from './plan'
import { partOf, rateInference } from './rate-inference'
import {
  filledMeasures,
  rateProvisioned,
  rateServices,
  rateStorage,
  storageCost,
  type StorageMeasure,
  type StoragePrices,
} from './rate-services'
import { isDeepStrictEqual } from 'node:util'

/**
 * Everything that an invoice is made of, and nothing else is: the same inputs give the same invoice to the last byte. The sheets are
 * kept apart, a row for each day.
 */
export interface InvoiceInputs {
  readonly tenantId: TenantId
  readonly period: Period
  readonly billedTo: string
  /** Days on which it was a tenant; `to` exclusive. */
  readonly served: { readonly from: Day; readonly to: Day }
  readonly plans: readonly DatedPlan[]
  readonly storage: readonly StorageMeasure[]
  readonly storagePrices: StoragePrices
  /** Those that no invoice had before. */
  readonly credits: readonly Credit[]
  /** Credit left over from the invoice before. */
  readonly carriedOverMicroUsd: MicroUsd
  /** Usage of the month before that was counted after its invoice, and what it is worth by that month's plan; 0 for none. */
  readonly lateMicroUsd: MicroUsd
}

export interface MadeInvoice {
  readonly lines: readonly InvoiceLine[]
  /** What is to be paid: the sum of the lines, never below 0. */
  readonly totalMicroUsd: MicroUsd
  /** What the tenant brings the month: without what is only carried from month to month. */
  readonly revenueMicroUsd: MicroUsd
  readonly carriedForwardMicroUsd: MicroUsd
  readonly cost: PeriodCost
}

/** What a tenant costs the platform. */
export interface PeriodCost {
  readonly callsMicroUsd: MicroUsd
  readonly provisionedMicroUsd: MicroUsd
  readonly trainingMicroUsd: MicroUsd
  readonly hostingMicroUsd: MicroUsd
  readonly storageMicroUsd: MicroUsd
  readonly totalMicroUsd: MicroUsd
}

/** Pure. */
export function makeInvoice(inputs: InvoiceInputs, sheets: readonly DaySheet[]): MadeInvoice {
  const lines = [...boundedLines(rateUsage(inputs, sheets)), ...others(inputs)]
  const sum = sumOf(lines)
  const span = spanOf(inputs.period)
  const forward: InvoiceLine = {
    ...amountLine('carried-forward', 'Credit left for the next month', span),
    quantity: 1,
    microUsd: -sum,
  }
  const all = sum < 0 ? [...lines, forward] : lines
  return {
    lines: all,
    totalMicroUsd: sumOf(all),
    revenueMicroUsd: sumOf(all.filter((line) => !isCarried(line))),
    carriedForwardMicroUsd: Math.max(0, -sum),
    cost: costOf(inputs, sheets),
  }
}

/** What the sheets of a month are worth by the plans of its days: everything but what operators and months before add. */
export function rateUsage(
  { period, served, plans, storage, storagePrices }: UsageInputs,
  sheets: readonly DaySheet[],
): InvoiceLine[] {
  const measures = filledMeasures(storage, daysBetween(served.from, served.to))
  return segmentsOf(period, served, plans).flatMap(({ plan, ...segment }) => {
    const within = ({ day }: { readonly day: Day }) => segment.from <= day && day < segment.to
    const ofSegment = sheets.filter(within)
    const items = ofSegment.flatMap((sheet) => sheet.items)
    const usage = [
      ...rateInference(
        plan,
        segment,
        items.filter((item) => isBilledByCall(plan, item)),
      ),
      ...rateServices(plan, segment, items),
      ...rateProvisioned(plan, segment, ofSegment),
      ...rateStorage(plan, segment, measures.filter(within), storagePrices),
    ]
    return [...usage, ...minimumOf(plan, segment, usage)]
  })
}

type UsageInputs = Pick<InvoiceInputs, 'period' | 'served' | 'plans' | 'storage' | 'storagePrices'>

function isBilledByCall(plan: Plan, { service, placement }: SheetItem): boolean {
  if (service !== 'inference') return false
  if (placement === 'own-account') return plan.ownAccount === 'as-others'
  return placement === 'metered' || plan.provisioned === 'by-use'
}

/** Days of the month one after the other that have the same plan. */
function segmentsOf(
  period: Period,
  served: InvoiceInputs['served'],
  plans: readonly DatedPlan[],
): (Segment & { readonly plan: Plan })[] {
  const all = daysOf(period)
  const segments: (Segment & { readonly plan: Plan })[] = []
  for (const [index, day] of all.entries()) {
    if (day < served.from || day >= served.to) continue
    const plan = planOn(plans, day)
    const last = segments.at(-1)
    const to = all[index + 1] ?? dayBehind(period)
    if (last && isDeepStrictEqual(last.plan, plan)) segments[segments.length - 1] = { ...last, to, ends: index + 1 }
    else segments.push({ plan, period, from: day, to, begins: index, ends: index + 1, days: all.length })
  }
  return segments
}

function minimumOf(plan: Plan, segment: Segment, lines: readonly InvoiceLine[]): InvoiceLine[] {
  if (plan.kind !== 'minimum') return []
  const missing = partOf(plan.microUsdPerMonthMin, segment) - sumOf(lines)
  const { from, to } = segment
  const text = 'What is missing to the plan’s minimum'
  return missing > 0
    ? [{ kind: 'minimum', text, from, to, quantity: 1, unit: 'months', listMicroUsd: 0, microUsd: missing }]
    : []
}

const spanOf = (period: Period) => ({ from: firstDayOf(period), to: dayBehind(period) })

const amountLine = (kind: InvoiceLine['kind'], text: string, span: { from: Day; to: Day }) =>
  ({ kind, text, ...span, quantity: 1, unit: 'usd', listMicroUsd: 0 }) as const

function others({ period, credits, carriedOverMicroUsd, lateMicroUsd }: InvoiceInputs): InvoiceLine[] {
  const span = spanOf(period)
  const late: InvoiceLine[] =
    lateMicroUsd === 0
      ? []
      : [
          {
            ...amountLine('correction', 'Usage of the month before, counted after its invoice', span),
            microUsd: lateMicroUsd,
          },
        ]
  const byHand = credits.map(({ id, kind, microUsd, reason, period: concerned }): InvoiceLine => ({
    ...amountLine(kind, concerned === undefined ? reason : `${reason} (${concerned})`, span),
    of: id,
    microUsd: kind === 'credit' ? -microUsd : microUsd,
  }))
  const carried: InvoiceLine[] =
    carriedOverMicroUsd === 0
      ? []
      : [
          {
            ...amountLine('carried-over', 'Credit left over from the month before', span),
            microUsd: -carriedOverMicroUsd,
          },
        ]
  return [...late, ...byHand, ...carried]
}

function costOf({ period, served, storage, storagePrices }: InvoiceInputs, sheets: readonly DaySheet[]): PeriodCost {
  const items = sheets.flatMap((sheet) => sheet.items)
  const cost = (isMeant: (item: SheetItem) => boolean) =>
    items.filter(isMeant).reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0)
  const isCall = ({ service }: SheetItem) => service === 'inference' || service === 'batch'
  // What provisioned throughput serves costs by the hour; what the tenant's own account serves costs the platform nothing.
  const callsMicroUsd = cost((item) => isCall(item) && item.placement === 'metered')
  const provisionedMicroUsd = sumOf(sheets.flatMap((sheet) => sheet.provisioned))
  const trainingMicroUsd = cost(({ service }) => service === 'training')
  const hostingMicroUsd = cost(({ service }) => service === 'hosting')
  const measures = filledMeasures(storage, daysBetween(served.from, served.to))
  const storageMicroUsd = storageCost(measures, storagePrices, { days: daysOf(period).length })
  const totalMicroUsd = callsMicroUsd + provisionedMicroUsd + trainingMicroUsd + hostingMicroUsd + storageMicroUsd
  return { callsMicroUsd, provisionedMicroUsd, trainingMicroUsd, hostingMicroUsd, storageMicroUsd, totalMicroUsd }
}
