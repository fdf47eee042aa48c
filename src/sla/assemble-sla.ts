import { BoundedMap } from '../base/bounded-map'
import type { BackendId, IdMaker, TenantId } from '../base/ids'
import type { Clock } from '../base/clock'
import type { Log } from '../base/log'
import type { Alerts } from '../alerts/alerts'
import type { Notifications } from '../notifications/notice'
import type { Backend } from '../routing/backend'
import type { StorageAccount } from '../storage/connect'
import { platformTable } from '../storage/platform-table'
import { tenantTable, type Columns } from '../storage/tenant-table'
import type { RecentUsage } from '../usage/recent-usage'
import type { TenantsWithUsage } from '../usage/tenants-with-usage'
import type { UsageReader } from '../usage/usage-reader'
import { freezeReports } from './freeze-reports'
import { createIncidentIndex } from './incident-index'
import { createMaintenances } from './maintenance'
import type { TenantOf } from './promised-tenant'
import type { Sla } from './sla'
import { createSlaReports, type SlaReportsDeps } from './sla-reports'
import { createPolicies } from './policies'
import { createSlaStore, slaStorage } from './sla-store'
import { createTellIncidents } from './tell-incidents'
import { createWatchedTenants } from './watched-tenants'
import { watchSlas } from './watch-slas'
import type { QuietTenant } from './watch-tenant'

interface SlaParts {
  readonly storage: StorageAccount
  readonly reader: UsageReader
  readonly tenantsWithUsage: TenantsWithUsage
  readonly recentUsage: Pick<RecentUsage, 'reader'>
  readonly rollUp: SlaReportsDeps['rollUp']
  readonly backends: () => ReadonlyMap<BackendId, Backend> | Promise<ReadonlyMap<BackendId, Backend>>
  readonly tenantOf: TenantOf
  readonly alerts: Pick<Alerts, 'raise' | 'raiseOnce' | 'resolve'>
  readonly notifications: Notifications
  readonly ids: Pick<IdMaker, 'maintenanceId'>
  readonly clock: Clock
  readonly log: Log
}

/** As many as the data path knows; one that is missing costs a request when it calls. */
const QUIET_TENANTS_MAX = 20_000

/** Everything of objectives, incidents and their reports, put together. */
export function assembleSla(parts: SlaParts) {
  const { storage, clock, recentUsage } = parts
  const recent = recentUsage.reader()
  const quiet = new BoundedMap<TenantId, QuietTenant>(QUIET_TENANTS_MAX)
  const [ownTable, indexTable] = slaStorage.tables
  const platformRows = platformTable<Columns>(storage.table(indexTable))
  const rows = tenantTable<Columns>(storage.table(ownTable))
  const index = createIncidentIndex(platformRows)
  const watched = createWatchedTenants(platformRows)
  const store = { ...createSlaStore(rows), ...createPolicies({ rows, clock, watched }) }
  const maintenances = createMaintenances({ rows: platformRows, clock })
  const reports = createSlaReports({ ...parts, store, maintenances })
  const tell = createTellIncidents({ ...parts, index })
  return {
    controlPlane: { store, incidents: index, reports, maintenances } satisfies Sla,
    /** For the timer of each minute; how many tenants were looked at. */
    watch: () => watchSlas({ ...parts, store, watched, recent, quiet, maintenances, tell }),
    /** For the timer of each day; how many reports are final since. */
    freeze: () => freezeReports({ ...parts, reports, watched }),
  }
}
