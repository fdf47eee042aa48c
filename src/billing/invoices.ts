import { hash } from 'node:crypto'
import type { Log } from '../base/log'
import { Problem } from '../base/problem'
import type { Notifications } from '../notifications/notice'
import type { TenantScope } from '../storage/tenant-scope'
import { daysIn, type InvoiceSummary, type IssuedInvoice } from './billing-rows'
import { DAY_MS, dayBehind, dayOf, dayStartMs, periodAfter, periodBefore, periodOf, type Period } from './calendar'
import type { Closing, ClosingState } from './closing-state'
import type { DaySheet } from './day-sheet'
import { closedPart, firstPeriodOf, gatherInputs, openPart, readSheets, type InputsDeps } from './gather-inputs'
import { sumOf } from './invoice-line'
import { makeInvoice, rateUsage, type InvoiceInputs, type MadeInvoice } from './make-invoice'

/**
 * Tenants' invoices. Invariants:
 * V1 An invoice is issued when no usage of its month can come any more, inserted once and never changed.
 * V2 Its inputs are kept with it: whoever makes it again from them gets the same bytes.
 * V3 A tenant's invoices are issued in order, so each credit is on one of them, and what is carried over was carried forward.
 * V4 What is found later goes on the next one.
 */
export interface Invoices {
  /** Issued or, of a month that is not over, as it would be now. Not-found for a month before the tenant or in the future. */
  read(scope: TenantScope, period: Period): Promise<ShownInvoice | Problem>
  /** In order of months, behind `after`. */
  list(scope: TenantScope, page: { after?: Period | undefined; limit: number }): Promise<readonly IssuedInvoice[]>
  /** Issues it, and those before it that are missing. Repeated it answers the one that there is. `conflict` for an open month. */
  issue(scope: TenantScope, period: Period): Promise<IssuedInvoice | Problem>
  /** Makes an issued one again from what was kept. */
  verify(scope: TenantScope, invoice: IssuedInvoice): Promise<Verification>
}

export type ShownInvoice =
  | { readonly kind: 'issued'; readonly invoice: IssuedInvoice }
  /** `countedTo`: Unix milliseconds; shares of provisioned throughput are in it for closed days only. */
  | { readonly kind: 'draft'; readonly inputs: InvoiceInputs; readonly made: MadeInvoice; readonly countedTo: number }

export interface Verification {
  /** Whether the sheets are those that it was made of. */
  readonly sameSheets: boolean
  /** Whether they and the inputs that were kept make the same invoice, byte for byte. */
  readonly sameInvoice: boolean
}

export interface InvoicesDeps extends InputsDeps {
  readonly closing: Pick<Closing, 'read'>
  readonly notifications: Pick<Notifications, 'publish'>
  /** Brings the roll-up up to now, for drafts. */
  readonly freshen: () => Promise<void>
  readonly log: Log
}

/** Further back nothing is missing: a tenant's months are issued as they end. */
const MONTHS_BACK_MAX = 120

export function createInvoices(deps: InvoicesDeps): Invoices {
  const { rows, closing } = deps
  return {
    list: (scope, { after, limit }) => rows.invoices(scope, after && periodAfter(after), limit),
    verify: async (scope, { inputs, made, sheetsSha256 }) => {
      const sheets = await rows.sheets(scope, daysIn(inputs.period))
      const again = makeInvoice(inputs, sheets)
      return {
        sameSheets: digestOf(sheets) === sheetsSha256,
        sameInvoice: JSON.stringify(again) === JSON.stringify(made),
      }
    },
    read: async (scope, period) => {
      const issued = await rows.invoice(scope, period)
      if (issued) return { kind: 'issued', invoice: issued }
      const state = await closing.read()
      return (await notBillable(deps, scope, period, state)) ?? draftOf(deps, scope, period, state)
    },
    issue: async (scope, period) => {
      const state = await closing.read()
      const refused = (await notBillable(deps, scope, period, state)) ?? notClosed(period, state)
      if (refused) return refused
      const { missing, before } = await missingUpTo(deps, scope, period, state)
      let issued = before
      for (const next of missing) {
        issued = await issueOne(deps, scope, next, issued)
        await conclude(deps, scope, issued)
      }
      if (!issued) throw new Error(`the invoice of ${period} is neither there nor missing`)
      // Whoever issued one that was there already may have died on the way.
      if (missing.length === 0) await conclude(deps, scope, issued)
      return issued
    },
  }
}

/** Why there can be no invoice of the month, not even a draft. */
async function notBillable(
  { clock, leftAt }: InvoicesDeps,
  { tenantId }: TenantScope,
  period: Period,
  { began }: ClosingState,
): Promise<Problem | undefined> {
  const current = periodOf(dayOf(clock.now()))
  if (period > current) return ofPeriod('not_found', `The month ${period} has not begun.`)
  const first = firstPeriodOf(tenantId)
  if (period < first) return ofPeriod('not_found', `Before ${first} the tenant was not there.`)
  if (period < began) return ofPeriod('not_found', `Bills begin with ${began}.`)
  const leftMs = await leftAt(tenantId)
  const left = leftMs === undefined ? undefined : periodOf(dayOf(leftMs))
  return left !== undefined && period > left ? ofPeriod('not_found', `The tenant left in ${left}.`) : undefined
}

function notClosed(period: Period, { openDay }: ClosingState): Problem | undefined {
  const behind = dayBehind(period)
  if (openDay >= behind) return undefined
  const earliest = new Date(dayStartMs(behind) + DAY_MS).toISOString()
  const text = `The month ${period} is not closed: usage of ${openDay} and later may still grow. It closes some hours after ${earliest}.`
  return ofPeriod('conflict', text)
}

const ofPeriod = (code: 'not_found' | 'conflict', text: string) =>
  new Problem(code, text, { param: 'period', errors: [{ path: 'period', message: text }] })

/** Months up to this one without an invoice, in order, and the invoice before them. */
async function missingUpTo(
  { rows }: InvoicesDeps,
  scope: TenantScope,
  period: Period,
  { began }: ClosingState,
): Promise<{ missing: Period[]; before: IssuedInvoice | undefined }> {
  const first = firstPeriodOf(scope.tenantId) > began ? firstPeriodOf(scope.tenantId) : began
  const missing: Period[] = []
  for (let month = period; month >= first && missing.length < MONTHS_BACK_MAX; month = periodBefore(month)) {
    const before = await rows.invoice(scope, month)
    if (before) return { missing, before }
    missing.unshift(month)
  }
  return { missing, before: undefined }
}

async function draftOf(
  deps: InvoicesDeps,
  scope: TenantScope,
  period: Period,
  { openDay }: ClosingState,
): Promise<ShownInvoice> {
  await deps.freshen()
  const countedTo = Math.min(deps.clock.now(), dayStartMs(dayBehind(period)))
  const before = await deps.rows.invoice(scope, periodBefore(period))
  const inputs = await gatherInputs(deps, scope, { period, before, lateMicroUsd: 0 })
  const sheets = [
    ...(await deps.rows.sheets(scope, closedPart(daysIn(period), openDay))),
    ...(await readSheets(deps, scope, openPart(daysIn(period), openDay))),
  ]
  return { kind: 'draft', inputs, made: makeInvoice(inputs, sheets), countedTo }
}

async function issueOne(
  deps: InvoicesDeps,
  scope: TenantScope,
  period: Period,
  before: IssuedInvoice | undefined,
): Promise<IssuedInvoice> {
  const { rows, clock } = deps
  // Before open credits are looked for: whoever issued that one may have died before it noted them (V3).
  if (before) await settleCredits(deps, scope, before)
  const lateMicroUsd = before ? await lateUsageOf(deps, scope, before) : 0
  const inputs = await gatherInputs(deps, scope, { period, before, lateMicroUsd })
  const sheets = await rows.sheets(scope, daysIn(period))
  const made = makeInvoice(inputs, sheets)
  const invoice: IssuedInvoice = { inputs, made, sheetsSha256: digestOf(sheets), issuedAt: clock.now() }
  if (await rows.insertInvoice(scope, invoice)) return invoice
  const others = await rows.invoice(scope, period)
  if (!others) throw new Error(`the invoice of ${period} can neither be inserted nor read`)
  return others
}

/**
 * What usage of a month is worth that was counted after its invoice, by the plan that it was made by. Nothing is taken back: usage only
 * grows, and where there is less of it than was billed, records were lost.
 */
async function lateUsageOf(deps: InvoicesDeps, scope: TenantScope, { inputs }: IssuedInvoice): Promise<number> {
  const span = daysIn(inputs.period)
  const billed = await deps.rows.sheets(scope, span)
  const counted = await readSheets(deps, scope, span)
  const shares = new Map(billed.map(({ day, provisioned }) => [day, provisioned]))
  const days = new Set([...billed, ...counted].map(({ day }) => day))
  const now: DaySheet[] = [...days].sort().map((day) => ({
    day,
    items: counted.find((sheet) => sheet.day === day)?.items ?? [],
    provisioned: shares.get(day) ?? [],
  }))
  const late = sumOf(rateUsage(inputs, now)) - sumOf(rateUsage(inputs, billed))
  if (late < 0)
    deps.log.error('there is less usage than was billed', { tenantId: scope.tenantId, period: inputs.period, late })
  return Math.max(0, late)
}

const digestOf = (sheets: readonly DaySheet[]) => hash('sha256', JSON.stringify(sheets), 'hex')

const settleCredits = ({ credits }: InvoicesDeps, scope: TenantScope, { inputs }: IssuedInvoice) =>
  credits.settle(
    scope,
    inputs.credits.map(({ id }) => id),
    inputs.period,
  )

/** What follows from an invoice's being there; all of it can be repeated. */
async function conclude(deps: InvoicesDeps, scope: TenantScope, invoice: IssuedInvoice): Promise<void> {
  await settleCredits(deps, scope, invoice)
  const summary = summaryOf(invoice)
  if (await deps.rows.summary(summary.period, summary.tenantId)) return
  const { tenantId, period, totalMicroUsd } = summary
  if (invoice.made.lines.length > 0)
    await deps.notifications.publish({
      id: `invoice/${tenantId}/${period}`,
      kind: 'invoice',
      audience: 'tenant',
      tenantId,
      severity: 'notice',
      title: `Invoice of ${period}: ${(totalMicroUsd / 1_000_000).toFixed(2)} USD`,
      text: `The invoice of ${period} is issued. Its lines: GET /api/tenant/invoices/${period}`,
      data: { period, totalMicroUsd, currency: 'USD' },
    })
  await deps.rows.putSummary(summary)
}

export function summaryOf({ inputs, made, issuedAt }: IssuedInvoice): InvoiceSummary {
  const { tenantId, period, billedTo } = inputs
  const { totalMicroUsd, revenueMicroUsd, cost } = made
  return { tenantId, period, billedTo, totalMicroUsd, revenueMicroUsd, cost, issuedAt }
}
