import type { Alerts } from '../alerts/alerts'
import type { TenantId } from '../base/ids'
import type { CapacityStore } from './capacity-store'
import { placeOf } from './capacity-store'
import type { DayNumber } from './day'
import type { DayTally } from './day-tally'
import { decideAlerts, sayAlerts } from './limit-alerts'
import { withDays } from './observed-days'
import { makeOutlook, type CapacitySubject, type Limits, type Outlook } from './outlook'

export interface LookDeps {
  readonly store: CapacityStore
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
}

export interface Look {
  readonly subject: CapacitySubject
  /** What was used on the days that were read. */
  readonly tally: DayTally
  readonly limits: Limits
  readonly through: DayNumber
  readonly generation: number
  /** Named in an alert. */
  readonly title: string
  readonly tenantId: TenantId | undefined
}

/**
 * Keeps what was observed of a subject, forecasts it, says what is to be said, and gives it its place. The outlook; undefined for
 * one of which nothing was ever seen. Every step replaces what was there, so it can be broken off anywhere and repeated.
 */
export async function lookAt({ store, alerts }: LookDeps, look: Look): Promise<Outlook | undefined> {
  const { subject, through, generation, limits } = look
  const known = await store.days(subject)
  const read = new Map([...look.tally.days()].filter(([day]) => day <= through))
  const observed = withDays(known, read)
  if (!observed) return undefined
  if (read.size > 0) await store.putDays(subject, observed)
  const before = await store.outlook(subject)
  const made = makeOutlook(observed, { through, generation, limits, alerted: before?.alerted ?? [] })
  const { decisions, alerted } = decideAlerts(made)
  // Said before it is written down: after a crash in between it is said once more, and never lost.
  await sayAlerts(alerts, look, { decisions, through })
  const outlook = { ...made, alerted }
  await store.putOutlook(subject, outlook)
  await store.rank(generation, placeOf(subject, outlook))
  return outlook
}
