import type { Alerts, RaisedAlert } from '../alerts/alerts'
import type { TenantId } from '../base/ids'
import { dateOf } from './day'
import type { LimitName, LimitOutlook } from './limit-outlook'
import { fullness, subjectIdOf, type CapacitySubject, type Outlook } from './outlook'

/** A limit that is expected to be reached within so many days is alerted of: time to order, to ask for quota, to talk to somebody. */
export const ALERT_DAYS = 30
/** And resolved when it is so far off again: one that moves to and fro about a month is one alert. */
export const CALM_DAYS = 40
/** There is no time left to do it well. */
const CRITICAL_DAYS = 7

export type AlertDecision =
  | { readonly kind: 'raise'; readonly limit: LimitOutlook; readonly severity: 'warning' | 'critical' }
  | { readonly kind: 'resolve'; readonly name: LimitName }

/**
 * Pure: what is to be said, and of which limits somebody is alerted afterwards. One that stays so is raised with every look, as alerts
 * are: it is the same alert, seen once more, and one that was resolved by hand comes back.
 */
export function decideAlerts({ limits, alerted }: Pick<Outlook, 'limits' | 'alerted'>): {
  readonly decisions: readonly AlertDecision[]
  readonly alerted: readonly LimitName[]
} {
  const near = limits.filter(
    ({ name, expectedInDays = Infinity }) => expectedInDays <= (alerted.includes(name) ? CALM_DAYS : ALERT_DAYS),
  )
  // Of a limit that is not there any more, too.
  const over = alerted.filter((name) => !near.some((limit) => limit.name === name))
  return {
    decisions: [
      ...near.map((limit) => ({ kind: 'raise' as const, limit, severity: severityOf(limit) })),
      ...over.map((name) => ({ kind: 'resolve' as const, name })),
    ],
    alerted: near.map(({ name }) => name),
  }
}

const severityOf = ({ expectedInDays = Infinity }: LimitOutlook): 'warning' | 'critical' =>
  expectedInDays <= CRITICAL_DAYS ? 'critical' : 'warning'

/** Whom it is about, in words, and the tenant whose own people are told. */
export interface AlertedSubject {
  readonly subject: CapacitySubject
  readonly title: string
  readonly tenantId: TenantId | undefined
}

/** Can be repeated: an alert that is there is seen once more. */
export async function sayAlerts(
  alerts: Pick<Alerts, 'raise' | 'resolve'>,
  about: AlertedSubject,
  { decisions, through }: { decisions: readonly AlertDecision[]; through: Outlook['through'] },
): Promise<void> {
  for (const decision of decisions) {
    if (decision.kind === 'resolve') await alerts.resolve(alertIdOf(about.subject, decision.name))
    else await alerts.raise(alertOf(about, decision, through))
  }
}

export const alertIdOf = (subject: CapacitySubject, name: LimitName) => `capacity/${subjectIdOf(subject)}/${name}`

function alertOf(
  { subject, title, tenantId }: AlertedSubject,
  { limit, severity }: Extract<AlertDecision, { kind: 'raise' }>,
  through: Outlook['through'],
): RaisedAlert {
  const { name, expectedInDays = 0, earliestInDays } = limit
  const when = expectedInDays === 0 ? 'is reached' : `is expected to be reached on ${dateOf(through + expectedInDays)}`
  const perhaps =
    earliestInDays === undefined || earliestInDays >= expectedInDays
      ? ''
      : `, perhaps on ${dateOf(through + earliestInDays)} already`
  return {
    id: alertIdOf(subject, name),
    kind: 'capacity-limit-ahead',
    severity,
    tenantId,
    title: `${title}: ${name} ${when}`,
    detail:
      `Of ${limit.limit}, ${limit.used} (${Math.round(fullness(limit) * 100)} %) were used of late; at the pace of its history it ${when}${perhaps}. ` +
      (subject.kind === 'tenant'
        ? 'Raise the limit or the budget, or talk to the tenant about what it uses.'
        : 'Ask for quota, add a deployment or provisioned units, or lead tenants elsewhere.'),
    evidence: {
      limit: limit.limit,
      used: limit.used,
      expectedOn: dateOf(through + expectedInDays),
      ...(earliestInDays === undefined ? {} : { earliestOn: dateOf(through + earliestInDays) }),
      observedThrough: dateOf(through),
    },
    // A deployment's figures are the platform's: its tenants are told of their own limits alone.
    ...(subject.kind === 'tenant' ? { audience: 'tenant' as const } : {}),
  }
}
