import type { IncidentIndex } from './incident-index'
import type { Maintenances } from './maintenance'
import type { SlaReports } from './sla-reports'
import type { SlaStore } from './sla-store'

/** What the control plane asks about objectives. */
export interface Sla {
  readonly store: Pick<SlaStore, 'policy' | 'putPolicy' | 'incident' | 'incidents'>
  readonly incidents: Pick<IncidentIndex, 'page' | 'get'>
  readonly reports: Pick<SlaReports, 'of'>
  readonly maintenances: Maintenances
}
