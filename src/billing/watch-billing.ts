import type { Alerts } from '../alerts/alerts'
import type { Clock } from '../base/clock'
import { DAY_MS, dayBehind, dayOf } from './calendar'
import type { Closing } from './closing-state'

/** A day is closed about a day after its end, and its month's invoices an hour later: this much later something is wrong. */
const BEHIND_MS = 3 * DAY_MS
const ALERT = 'billing-behind'

/** Tells operators that days are not closed, or months not issued, and that they are again. */
export async function watchBilling({
  closing,
  alerts,
  clock,
}: {
  closing: Pick<Closing, 'read'>
  alerts: Pick<Alerts, 'raise' | 'resolve'>
  clock: Clock
}): Promise<void> {
  const { openDay, openPeriod } = await closing.read()
  const late = dayOf(clock.now() - BEHIND_MS)
  if (openDay >= late && dayBehind(openPeriod) >= late) return alerts.resolve(ALERT)
  await alerts.raise({
    id: ALERT,
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
