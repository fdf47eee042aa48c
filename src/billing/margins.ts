import { eachOnce } from '../base/each-once'
import { idTimeMs, type TenantId } from '../base/ids'
import type { MicroUsd } from '../base/money'
import { Problem } from '../base/problem'
import { TenantScope } from '../storage/tenant-scope'
import { isPlatformOwner } from '../tenants/platform-owner'
import { daysIn, type InvoiceSummary } from './billing-rows'
import { dayOf, periodBefore, periodOf, type Period } from './calendar'
import { closedPart, gatherInputs } from './gather-inputs'
import type { InvoicesDeps } from './invoices'
import { makeInvoice, type PeriodCost } from './make-invoice'

/**
 * What tenants bring and what they cost, for operators only: a reader across tenants (I4) of numbers and ids. Of a month that is not
 * issued it counts closed days, by each tenant's own scope.
 */
export interface Margins {
  page(period: Period, page: MarginsPage): Promise<{ margins: readonly Margin[]; next: TenantId | undefined }>
  /** What of the month's provisioned throughput nobody used. */
  idleMicroUsd(period: Period): Promise<MicroUsd>
}

export interface MarginsPage {
  readonly after?: TenantId | undefined
  readonly limit: number
  /** Only tenants that cost more than they bring. */
  readonly unprofitable: boolean
}

export interface Margin {
  readonly tenantId: TenantId
  readonly billedTo: string
  readonly isIssued: boolean
  readonly revenueMicroUsd: MicroUsd
  readonly cost: PeriodCost
  readonly marginMicroUsd: MicroUsd
  readonly isUnprofitable: boolean
}

/** Looked through for one page, however few of them it shows; `next` then goes on behind the last one. */
const TENANTS_LOOKED_MAX = 500
const TENANTS_AT_ONCE = 10

interface MarginsDeps extends InvoicesDeps {
  readonly tenantIds: (after: TenantId | undefined) => AsyncIterable<TenantId>
}

export function createMargins(deps: MarginsDeps): Margins {
  return {
    page: async (period, { after, limit, unprofitable }) => {
      const margins: Margin[] = []
      let looked = 0
      let last: TenantId | undefined
      for await (const tenantIds of inPieces(eachOnce([deps.rows.billed(period, after), deps.tenantIds(after)]))) {
        const found = await Promise.all(tenantIds.map((tenantId) => marginOf(deps, tenantId, period)))
        for (const [index, tenantId] of tenantIds.entries()) {
          // One more than is shown, or is looked at, tells that there is a next page.
          if (margins.length >= limit || looked >= TENANTS_LOOKED_MAX) return { margins, next: last }
          looked += 1
          last = tenantId
          const margin = found[index]
          if (margin && (margin.isUnprofitable || !unprofitable)) margins.push(margin)
        }
      }
      return { margins, next: undefined }
    },
    idleMicroUsd: async (period) => {
      let sum = 0
      for await (const idle of deps.rows.idle(daysIn(period))) for (const { microUsd } of idle) sum += microUsd
      return sum
    },
  }
}

async function marginOf(deps: MarginsDeps, tenantId: TenantId, period: Period): Promise<Margin | undefined> {
  if (isPlatformOwner(tenantId) || periodOf(dayOf(idTimeMs(tenantId))) > period) return undefined
  const issued = await deps.rows.summary(period, tenantId)
  const { billedTo, revenueMicroUsd, cost } = issued ?? (await soFar(deps, TenantScope.ofPlatform(tenantId), period))
  const marginMicroUsd = revenueMicroUsd - cost.totalMicroUsd
  const isUnprofitable = marginMicroUsd < 0
  return { tenantId, billedTo, isIssued: issued !== undefined, revenueMicroUsd, cost, marginMicroUsd, isUnprofitable }
}

async function soFar(
  deps: MarginsDeps,
  scope: TenantScope,
  period: Period,
): Promise<Pick<InvoiceSummary, 'billedTo' | 'revenueMicroUsd' | 'cost'>> {
  const { openDay } = await deps.closing.read()
  const before = await deps.rows.invoice(scope, periodBefore(period))
  const inputs = await gatherInputs(deps, scope, { period, before, lateMicroUsd: 0 })
  const sheets = await deps.rows.sheets(scope, closedPart(daysIn(period), openDay))
  const { revenueMicroUsd, cost } = makeInvoice(inputs, sheets)
  return { billedTo: inputs.billedTo, revenueMicroUsd, cost }
}

async function* inPieces<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let piece: T[] = []
  for await (const item of items) {
    if (piece.push(item) < TENANTS_AT_ONCE) continue
    yield piece
    piece = []
  }
  if (piece.length > 0) yield piece
}

export const noMonthYet = (period: Period, nowMs: number): Problem | undefined => {
  if (period <= periodOf(dayOf(nowMs))) return undefined
  const message = `Must not lie in the future: ${period} has not begun`
  return new Problem('invalid_request', `period: ${message}`, {
    param: 'period',
    errors: [{ path: 'period', message }],
  })
}
