import type { Clock } from '../../src/base/clock'
import type { StorageAccount } from '../../src/storage/connect'
import { platformTable } from '../../src/storage/platform-table'
import { createIncidentIndex } from '../../src/sla/incident-index'
import { incidentIdOf, type Incident } from '../../src/sla/incident'
import { createSlaStore } from '../../src/sla/sla-store'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { expectStatus } from '../functions/control-plane-fixtures'
import type { ControlPlaneServer } from '../functions/control-plane-server'
import { availability, MINUTE_MS } from './sla-fixtures'

/** Incidents an hour apart as the timer writes them, the oldest first; the newest is still open. */
export async function keepIncidents(
  { storage, clock }: { readonly storage: StorageAccount; readonly clock: Pick<Clock, 'now'> },
  scope: TenantScope,
  count: number,
): Promise<Incident[]> {
  const { tenantId } = scope
  const store = createSlaStore(tenantTable(storage.table('sla')))
  const index = createIncidentIndex(platformTable(storage.table('slaindex')))
  const incidents = Array.from({ length: count }, (_, at): Incident => {
    const startedAt = clock.now() - (count - at) * 60 * MINUTE_MS
    const detectedAt = startedAt + MINUTE_MS
    return {
      id: incidentIdOf(tenantId, 'availability', detectedAt),
      tenantId,
      objective: availability,
      severity: 'critical',
      detection: { rule: 'fast', at: detectedAt, longBurn: 20, shortBurn: 200 },
      startedAt,
      evidence: { badMinutes: 1, good: 0, bad: 5, outcomes: { failed: 5 }, deployments: { 'gpt-sweden': 5 } },
      ...(at === count - 1 ? {} : { end: { at: detectedAt, closedAt: detectedAt, why: 'recovered' as const } }),
      revision: 1,
    }
  })
  const state = { throughMinute: 0, objectives: {}, untold: [] }
  await store.putState(scope, { state, etag: undefined, incidents })
  for (const incident of incidents) await index.put(incident)
  return incidents
}

/** An incident of the tenant's, and a maintenance of everybody's. */
export async function promisedTenant(server: ControlPlaneServer, scope: TenantScope) {
  const [incident] = await keepIncidents(server, scope, 1)
  const ahead = (hours: number) => new Date(server.clock.now() + hours * 3_600_000).toISOString()
  const announced = await server.operate('POST', '/api/platform/maintenance', {
    title: 'A new network',
    from: ahead(48),
    to: ahead(50),
  })
  return { incidentId: incident?.id ?? '', maintenanceId: String(expectStatus(announced, 201).body.id) }
}
