import { assertNever } from '../base/assert'
import type { Json } from '../alerts/alert'
import type { Alerts } from '../alerts/alerts'
import type { Notifications } from '../notifications/notice'
import type { TenantScope } from '../storage/tenant-scope'
import { spentShare } from './burn-rate'
import { durationMsOf, type Incident } from './incident'
import type { IncidentIndex } from './incident-index'
import { goodShareOf, nameOf, type Objective } from './objective'
import type { Telling } from './sla-state'
import { incidentView, objectiveView } from './sla-view'

/** Tells operators and the tenant, and enters the incident into the list of all. Can be repeated: each of it is done once. */
export type TellIncidents = (scope: TenantScope, telling: Telling) => Promise<void>

interface TellIncidentsDeps {
  readonly index: Pick<IncidentIndex, 'put' | 'get'>
  readonly alerts: Pick<Alerts, 'raise' | 'raiseOnce' | 'resolve'>
  readonly notifications: Notifications
}

/** An incident is an alert of its own: a slow run that tells of one long past must not open it again. */
const alertIdOf = ({ id }: Incident) => `sla-incident/${id}`

export function createTellIncidents({ index, alerts, notifications }: TellIncidentsDeps): TellIncidents {
  const notify = (incident: Incident, event: 'opened' | 'worsened' | 'closed') =>
    notifications.publish({
      id: `${incident.id}/${event}`,
      kind: 'incident',
      audience: 'tenant',
      tenantId: incident.tenantId,
      severity: event === 'closed' ? 'notice' : incident.severity,
      title: titleOf(incident, event),
      text: textOf(incident),
      data: dataOf(incident),
    })
  const alertOf = (incident: Incident) => ({
    id: alertIdOf(incident),
    kind: 'sla-incident' as const,
    tenantId: incident.tenantId,
    severity: incident.severity,
    title: titleOf(incident, 'opened'),
    detail: textOf(incident),
    evidence: dataOf(incident),
  })
  return async ({ tenantId }, telling) => {
    switch (telling.kind) {
      case 'opened':
        await index.put(telling.incident)
        await alerts.raiseOnce(alertOf(telling.incident))
        return notify(telling.incident, 'opened')
      case 'worsened':
        await index.put(telling.incident)
        // Over by now: raised again its alert would be open for good.
        if (!(await index.get(telling.incident.id))?.end) await alerts.raise(alertOf(telling.incident))
        return notify(telling.incident, 'worsened')
      case 'closed':
        await index.put(telling.incident)
        await alerts.resolve(alertIdOf(telling.incident), textOf(telling.incident))
        return notify(telling.incident, 'closed')
      case 'overspent': {
        const { objective, month, counted } = telling
        const spent = percent(100 * spentShare(counted, goodShareOf(objective)))
        return alerts.raiseOnce({
          id: `sla-overspent/${tenantId}/${nameOf(objective)}/${month}`,
          kind: 'sla-overspent',
          tenantId,
          severity: 'warning',
          title: `The error budget of ${month} is spent: ${promiseOf(objective)}`,
          detail: `${counted.bad} of ${counted.good + counted.bad} calls that count were bad, ${spent} of what the month may have. What the month ends with, its report says.`,
          evidence: asJson({ month, objective: objectiveView(objective), ...counted }),
          audience: 'tenant',
        })
      }
      default:
        return assertNever(telling)
    }
  }
}

const headings = { opened: 'Incident', worsened: 'Incident, now worse', closed: 'Incident over' } as const

const titleOf = (incident: Incident, event: keyof typeof headings): string =>
  `${headings[event]}: ${promiseOf(incident.objective)}`

/** `99.9 % of calls are answered (alias chat)` */
export function promiseOf(objective: Objective): string {
  const { alias, operation } = objective
  const of = [...(alias === undefined ? [] : [`alias ${alias}`]), ...(operation ? [operation] : [])]
  return whatOf(objective) + (of.length > 0 ? ` (${of.join(', ')})` : '')
}

function whatOf(objective: Objective): string {
  if (objective.kind === 'availability') return `${objective.percent} % of calls are answered`
  if (objective.kind === 'latency') return `95 % of calls take at most ${objective.p95Ms} ms`
  return `95 % of answers begin within ${objective.p95Ms} ms`
}

function textOf(incident: Incident): string {
  const { startedAt, evidence, end } = incident
  const durationMs = durationMsOf(incident)
  const since = `Since ${new Date(startedAt).toISOString()}`
  const span = end && durationMs !== undefined ? `${since} for ${durationMs / 60_000} minutes` : since
  const calls = `${evidence.bad} of ${evidence.good + evidence.bad} calls in ${evidence.badMinutes} bad minutes`
  return `${span}: ${calls} were not as promised (${namesOf(evidence.outcomes)}; deployments: ${namesOf(evidence.deployments)}).`
}

const namesOf = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none'

const percent = (value: number) => `${value.toFixed(0)} %`

/** As the incident is shown. */
const dataOf = (incident: Incident): Json => asJson(incidentView(incident))

/** Without the fields that are undefined, which JSON has none of. */
const asJson = (value: object) => JSON.parse(JSON.stringify(value)) as Json
