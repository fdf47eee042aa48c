import type { Baseline } from './baselines'
import { expectStatus } from '../control-plane-fixtures'
import type { World } from './world'

const ofTenant = ({ tenantId }: World) => ({ tenantId })

const objectives = [
  { kind: 'availability', percent: 99.5, alias: 'chat', operation: 'chat.completions' },
  { kind: 'latency', p95Ms: 2_000, alias: 'chat', operation: 'chat.completions' },
  { kind: 'first-byte', p95Ms: 500, alias: 'chat', operation: 'chat.completions' },
]
/** Two of one kind for the same calls would contradict each other. */
const onceEach = { field: /^objectives$/, status: 400, says: /one objective of a kind/ }

/** The hand clock stands at 2026-01-01T00:00:00Z. */
const maintenance = {
  title: 'A network',
  from: '2026-01-03T00:00:00Z',
  to: '2026-01-03T02:00:00Z',
  regions: ['swedencentral'],
}

/** There are only so many to come, and each trial that is taken announces one. */
async function takeBackOthers({ server }: World): Promise<void> {
  const { body } = expectStatus(await server.operate('GET', '/api/platform/maintenance'), 200)
  for (const { id } of body.maintenance)
    expectStatus(await server.operate('DELETE', `/api/platform/maintenance/${id}`), 204)
}

/** Months are those that have begun. */
const months = [{ field: /^month$/, status: 400, says: /Must be/ }]
const times = [{ field: /^(from|to)$/, status: 400, says: /full hour|24 hours|within a year|behind|at most 12/ }]
const nobodys = { answers: { status: 404, says: /nothing here/ } }

/** Objectives, incidents, reports and maintenances. */
export const slaBaselines: Readonly<Record<string, Baseline>> = {
  'GET /api/platform/tenants/{tenantId}/sla': { params: ofTenant },
  'PUT /api/platform/tenants/{tenantId}/sla': {
    params: ofTenant,
    bodies: () => objectives.map((objective) => ({ objectives: [objective] })),
    exceptions: [onceEach],
  },
  'GET /api/platform/tenants/{tenantId}/sla-report': { params: ofTenant, exceptions: months },
  'GET /api/tenant/sla': { exceptions: months },
  'POST /api/platform/maintenance': { bodies: () => [maintenance], prepare: takeBackOthers, exceptions: times },
  'DELETE /api/platform/maintenance/{maintenanceId}': {
    params: () => ({ maintenanceId: `mnt_${'0'.repeat(26)}` }),
    ...nobodys,
  },
  'GET /api/platform/incidents/{incidentId}': {
    params: () => ({ incidentId: `inc_${'0'.repeat(26)}` }),
    ...nobodys,
  },
}
