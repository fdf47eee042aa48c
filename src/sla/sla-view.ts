import { durationMsOf, type Incident } from './incident'
import type { Maintenance } from './maintenance'
import type { Objective } from './objective'
import type { ShownIncident, ShownMaintenance } from './sla-report'

export const iso = (ms: number): string => new Date(ms).toISOString()

export function incidentView(incident: Incident): ShownIncident {
  const { id, tenantId, objective, severity, startedAt, detection, evidence, end } = incident
  const { badMinutes, good, bad, outcomes, deployments } = evidence
  return {
    id,
    tenantId,
    objective: objectiveView(objective),
    state: end ? 'closed' : 'open',
    severity,
    startedAt: iso(startedAt),
    detectedAt: iso(detection.at),
    rule: detection.rule,
    longBurn: detection.longBurn,
    shortBurn: detection.shortBurn,
    ...(end
      ? { endedAt: iso(end.at), closedAt: iso(end.closedAt), why: end.why, durationMs: durationMsOf(incident) }
      : {}),
    evidence: { badMinutes, good, bad, outcomes: { ...outcomes }, deployments: { ...deployments } },
  }
}

export const objectiveView = (objective: Objective) => ({
  kind: objective.kind,
  ...(objective.kind === 'availability' ? { percent: objective.percent } : { p95Ms: objective.p95Ms }),
  ...(objective.alias === undefined ? {} : { alias: objective.alias }),
  ...(objective.operation === undefined ? {} : { operation: objective.operation }),
})

export const maintenanceView = ({ id, title, from, to, regions, announcedAt }: Maintenance): ShownMaintenance => ({
  id,
  title,
  from: iso(from),
  to: iso(to),
  ...(regions ? { regions: [...regions] } : {}),
  announcedAt: iso(announcedAt),
})
