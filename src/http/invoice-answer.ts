import { assertNever } from '../base/assert'
import { csvHeaders } from '../base/csv'
import { focusCsv, invoiceCsv } from '../billing/invoice-csv'
import { invoiceView } from '../billing/invoice-view'
import type { ShownInvoice } from '../billing/invoices'
import { ok, type Answer } from './plain-request'

/** An invoice in the format that was asked for. */
export function invoiceAnswer(shown: ShownInvoice, format: 'json' | 'csv' | 'focus'): Answer {
  const view = invoiceView(shown)
  switch (format) {
    case 'json':
      return ok(view)
    case 'csv':
      return { status: 200, text: invoiceCsv(view), headers: csvHeaders(`invoice-${view.period}.csv`) }
    case 'focus':
      return { status: 200, text: focusCsv(view), headers: csvHeaders(`invoice-${view.period}-focus.csv`) }
    default:
      return assertNever(format)
  }
}
