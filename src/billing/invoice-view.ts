import { z } from 'zod'
import type { MicroUsd } from '../base/money'
import type { IssuedInvoice } from './billing-rows'
import { daysIn } from './billing-rows'
import { lineKinds, lineUnits } from './invoice-line'
import type { ShownInvoice } from './invoices'

const shownLine = z.object({
  kind: z.enum(lineKinds),
  text: z.string(),
  from: z.iso.date(),
  to: z.iso.date().meta({ description: 'Exclusive.' }),
  alias: z.string().optional(),
  model: z.string().optional(),
  of: z.string().optional().meta({ description: 'A backend’s id, or a credit’s.' }),
  quantity: z.number(),
  unit: z.enum(lineUnits),
  listMicroUsd: z.int().meta({ description: 'By the price book, before the plan; 0 where it says nothing of it.' }),
  microUsd: z.int().meta({ description: 'Below 0 for what is given back.' }),
  unpriced: z.int().optional().meta({ description: 'Calls for which there was no price: billed at nothing.' }),
})

/** An invoice as its tenant sees it: what it costs the platform is nobody else's business. */
export const shownInvoice = z
  .object({
    id: z.string(),
    state: z.enum(['draft', 'issued']),
    tenantId: z.string(),
    billedTo: z.string(),
    period: z.string(),
    from: z.iso.date(),
    to: z.iso.date().meta({ description: 'Exclusive.' }),
    currency: z.literal('USD'),
    lines: z.array(shownLine),
    totalMicroUsd: z.int().meta({ description: 'To be paid: the sum of the lines. 1,000,000 is one US dollar.' }),
    carriedForwardMicroUsd: z.int().meta({ description: 'Credit left for the next month.' }),
    issuedAt: z.iso.datetime().optional(),
    countedTo: z.iso.datetime().optional().meta({ description: 'Of a draft: usage up to here is in it.' }),
  })
  .meta({ id: 'Invoice' })
export type InvoiceView = z.infer<typeof shownInvoice>

export const shownInvoiceHead = shownInvoice.omit({ lines: true }).meta({ id: 'InvoiceHead' })

/** Whoever issues invoices for the platform; what accounting programs show. */
export const ISSUER = 'Tenantry'

export function invoiceView(shown: ShownInvoice): InvoiceView {
  const { inputs, made } = shown.kind === 'issued' ? shown.invoice : shown
  const { tenantId, period, billedTo } = inputs
  return {
    id: `${period}/${tenantId}`,
    state: shown.kind,
    tenantId,
    billedTo,
    period,
    ...daysIn(period),
    currency: 'USD',
    lines: made.lines.map((line) => ({ ...line })),
    totalMicroUsd: made.totalMicroUsd,
    carriedForwardMicroUsd: made.carriedForwardMicroUsd,
    ...(shown.kind === 'issued'
      ? { issuedAt: new Date(shown.invoice.issuedAt).toISOString() }
      : { countedTo: new Date(shown.countedTo).toISOString() }),
  }
}

export function invoiceHead(invoice: IssuedInvoice): z.infer<typeof shownInvoiceHead> {
  const { lines, ...head } = invoiceView({ kind: 'issued', invoice })
  return head
}

/** Exactly, as a decimal number: micro-USD have six places. */
export function usdText(microUsd: MicroUsd): string {
  const digits = String(Math.abs(microUsd)).padStart(7, '0')
  return `${microUsd < 0 ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`
}
