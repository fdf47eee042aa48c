import { assertNever } from '../base/assert'
import { csvOf, type CsvValue } from '../base/csv'
import type { InvoiceLine, LineUnit } from './invoice-line'
import { ISSUER, usdText, type InvoiceView } from './invoice-view'

type Line = InvoiceView['lines'][number]

const columns = [
  'invoice',
  'state',
  'kind',
  'text',
  'from',
  'to',
  'alias',
  'model',
  'of',
  'quantity',
  'unit',
  'listUsd',
  'usd',
] as const

/** A row for each line; the amounts add up to the total. */
export const invoiceCsv = ({ id, state, lines }: InvoiceView): string =>
  csvOf(
    columns,
    lines.map((line) => [
      id,
      state,
      line.kind,
      line.text,
      line.from,
      line.to,
      line.alias,
      line.model,
      line.of,
      line.quantity,
      line.unit,
      usdText(line.listMicroUsd),
      usdText(line.microUsd),
    ]),
  )

/**
 * The lines in columns of the FinOps Open Cost and Usage Specification, version 1.2 (focus.finops.org), as far as there is something to
 * say: no commitments, no regions, no unit prices, since a line may be of many. Times are UTC; costs are decimal USD.
 */
export const focusCsv = (invoice: InvoiceView): string => {
  const rows = invoice.lines.map((line) => focusRow(invoice, line))
  const names = Object.keys(focusRow(invoice, emptyLine))
  return csvOf(
    names,
    rows.map((row) => Object.values(row)),
  )
}

const emptyLine: Line = {
  kind: 'charge',
  text: '',
  from: '2026-01-01',
  to: '2026-01-01',
  quantity: 0,
  unit: 'usd',
  listMicroUsd: 0,
  microUsd: 0,
}

function focusRow(invoice: InvoiceView, line: Line): Record<string, CsvValue> {
  const { category, frequency, service } = focusKind(line.kind)
  const isUsage = category === 'Usage'
  const consumed = isUsage ? consumedOf(line) : undefined
  const billed = usdText(line.microUsd)
  return {
    BilledCost: billed,
    BillingAccountId: invoice.tenantId,
    BillingAccountName: invoice.billedTo,
    BillingCurrency: invoice.currency,
    BillingPeriodEnd: midnight(invoice.to),
    BillingPeriodStart: midnight(invoice.from),
    ChargeCategory: category,
    ChargeClass: line.kind === 'correction' ? 'Correction' : undefined,
    ChargeDescription: line.text,
    ChargeFrequency: frequency,
    ChargePeriodEnd: midnight(line.to),
    ChargePeriodStart: midnight(line.from),
    ConsumedQuantity: consumed?.quantity,
    ConsumedUnit: consumed?.unit,
    ContractedCost: billed,
    EffectiveCost: billed,
    InvoiceId: invoice.state === 'issued' ? invoice.id : undefined,
    InvoiceIssuerName: ISSUER,
    ListCost: line.listMicroUsd > 0 ? usdText(line.listMicroUsd) : billed,
    PricingCategory: isUsage || category === 'Purchase' ? 'Standard' : undefined,
    PricingQuantity: consumed?.quantity,
    PricingUnit: consumed?.unit,
    ProviderName: ISSUER,
    PublisherName: ISSUER,
    ResourceId: line.alias ?? line.of,
    ResourceName: line.alias,
    ResourceType: line.alias === undefined ? undefined : 'Model alias',
    ServiceCategory: service === 'Storage' ? 'Storage' : 'AI and Machine Learning',
    ServiceName: service,
    ServiceSubcategory: service === 'Storage' ? 'Object Storage' : 'Generative AI',
    SkuId: line.model,
  }
}

const midnight = (day: string) => `${day}T00:00:00Z`

interface FocusKind {
  readonly category: 'Usage' | 'Purchase' | 'Credit' | 'Adjustment'
  readonly frequency: 'Usage-Based' | 'Recurring' | 'One-Time'
  readonly service: string
}

function focusKind(kind: InvoiceLine['kind']): FocusKind {
  const usage = (service: string): FocusKind => ({ category: 'Usage', frequency: 'Usage-Based', service })
  switch (kind) {
    case 'inference':
    case 'requests':
    case 'overage':
    case 'correction':
      return usage('Model calls')
    case 'batch':
      return usage('Batches')
    case 'training':
      return usage('Fine-tuning')
    case 'hosting':
      return usage('Hosting of tuned models')
    case 'storage':
      return usage('Storage')
    case 'provisioned':
      return usage('Provisioned throughput')
    case 'subscription':
    case 'minimum':
      return { category: 'Purchase', frequency: 'Recurring', service: 'Subscription' }
    case 'credit':
      return { category: 'Credit', frequency: 'One-Time', service: 'Model calls' }
    case 'charge':
    case 'carried-over':
    case 'carried-forward':
      return { category: 'Adjustment', frequency: 'One-Time', service: 'Model calls' }
    default:
      return assertNever(kind)
  }
}

const units: Readonly<Record<LineUnit, string | undefined>> = {
  tokens: 'Tokens',
  requests: 'Requests',
  hours: 'Hours',
  'byte-days': 'GiB-Days',
  months: 'Months',
  usd: undefined,
}
const GIB = 1_073_741_824

function consumedOf({ quantity, unit }: Line): { quantity: number; unit: string } | undefined {
  const name = units[unit]
  return name === undefined ? undefined : { quantity: unit === 'byte-days' ? quantity / GIB : quantity, unit: name }
}
