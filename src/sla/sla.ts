import type { IncidentIndex } from './incident-index'
import type { Maintenances } from './maintenance'
import type { SlaReports } from './sla-reports'
import type { Policies } from './policies'
import type { SlaStore } from './sla-store'

/** What the control plane asks about objectives. */
export interface Sla {
  readonly store: Policies & Pick<SlaStore, 'incident' | 'incidents'>
  readonly incidents: Pick<IncidentIndex, 'page' | 'get'>
  readonly reports: Pick<SlaReports, 'of'>
  readonly maintenances: Maintenances
}
