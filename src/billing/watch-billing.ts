import type { Alerts } from '../alerts/alerts'
import type { Clock } from '../base/clock'
import { DAY_MS, dayBehind, dayOf } from './calendar'
import type { Closing } from './closing-state'
import type { OverdueInvoice, OverdueInvoices } from './overdue-invoices'

interface WatchBillingDeps {
  readonly closing: Pick<Closing, 'read'>
  readonly overdue: Pick<OverdueInvoices, 'all'>
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
  readonly clock: Clock
}

/** A day is closed about a day after its end, and its month's invoices an hour later: this much later something is wrong. */
const BEHIND_MS = 3 * DAY_MS
const BEHIND_ALERT = 'billing-behind'
/** One failure may be a moment's, and the next run mends it. */
const FAILURES_TOLD_MIN = 2
const OVERDUE_ALERT = 'invoices-overdue'
/** In the alert; how many there are is told of all. */
const TENANTS_NAMED_MAX = 10

/** Tells operators of days that are not closed, months that are not issued and tenants whose invoices fail, and of the end of each. */
export async function watchBilling(deps: WatchBillingDeps): Promise<void> {
  await tellBehind(deps)
  await tellOverdue(deps)
}

async function tellBehind({ closing, alerts, clock }: WatchBillingDeps): Promise<void> {
  const { openDay, openPeriod } = await closing.read()
  const late = dayOf(clock.now() - BEHIND_MS)
  if (openDay >= late && dayBehind(openPeriod) >= late) return alerts.resolve(BEHIND_ALERT)
  await alerts.raise({
    id: BEHIND_ALERT,
    kind: 'billing-behind',
    tenantId: undefined,
    severity: 'warning',
    title: 'Billing is behind',
    detail:
      `Usage is closed up to ${openDay}, invoices are issued up to ${openPeriod} (neither included). The log says why: ` +
      'the roll-up of the usage log may be behind, or a tenant’s usage cannot be read.',
    evidence: { openDay, openPeriod },
  })
}

async function tellOverdue({ overdue, alerts }: WatchBillingDeps): Promise<void> {
  const named: OverdueInvoice[] = []
  let count = 0
  for await (const each of overdue.all()) {
    if (each.failures < FAILURES_TOLD_MIN) continue
    count += 1
    if (named.length < TENANTS_NAMED_MAX) named.push(each)
  }
  if (count === 0) return alerts.resolve(OVERDUE_ALERT)
  const names = named.map(({ tenantId, from, to }) => `${tenantId} (${from === to ? from : `${from} to ${to}`})`)
  const others = count > named.length ? ` and ${count - named.length} more` : ''
  await alerts.raise({
    id: OVERDUE_ALERT,
    kind: 'invoice-overdue',
    tenantId: undefined,
    severity: 'warning',
    title: count === 1 ? 'The invoice of a tenant fails' : `The invoices of ${count} tenants fail`,
    detail:
      `No invoice could be issued to ${names.join(', ')}${others}. The others have theirs. It is tried again, at least twice a day; ` +
      'the log says why it fails.',
    evidence: { count, tenantIds: named.map(({ tenantId }) => tenantId) },
  })
}
