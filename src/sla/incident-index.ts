import { counterpartOf, type IncidentId, type TenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { putNewer } from '../usage/put-newer'
import type { Incident } from './incident'
import type { ObjectiveKind } from './objective'

/**
 * The incidents of every tenant for operators, the newest first: one of the few readers across tenants (I4). Copies of what lies with the
 * tenants, in the platform's partition; of two copies the newer one stays, whoever writes last.
 */
export interface IncidentIndex {
  put(incident: Incident): Promise<void>
  get(id: IncidentId): Promise<Incident | undefined>
  page(page: IncidentPage): Promise<{ readonly incidents: readonly Incident[]; readonly next: IncidentId | undefined }>
  remove(id: IncidentId): Promise<void>
}

interface IncidentPage {
  readonly state?: 'open' | 'closed' | undefined
  readonly tenantId?: TenantId | undefined
  readonly kind?: ObjectiveKind | undefined
  /** The last of the page before. */
  readonly after?: IncidentId | undefined
  readonly limit: number
}

const INCIDENTS = 'incident-'
/** Rows that one page looks at; where few of them are asked for it holds fewer than its limit, and says where to go on. */
const SCANNED_MAX = 2_000

export function createIncidentIndex(rows: PartitionTable<Columns>): IncidentIndex {
  return {
    put: async (incident) => {
      const { id, tenantId, objective, revision, end } = incident
      const columns: Columns = {
        id,
        tenantId,
        kind: objective.kind,
        state: end ? 'closed' : 'open',
        revision,
        ...toJsonColumns(incident),
      }
      await putNewer(
        rows,
        { rowKey: rowOf(id), columns, etag: undefined },
        (known) => Number(known['revision']) >= revision,
      )
    },
    get: async (id) => {
      const row = await rows.get(rowOf(id))
      return row && fromJsonColumns<Incident>(row.columns)
    },
    page: async (asked) => {
      const incidents: Incident[] = []
      let scanned = 0
      const from = asked.after === undefined ? INCIDENTS : `${rowOf(asked.after)} `
      for await (const { columns } of rows.range(from, `${INCIDENTS}~`)) {
        // One more than asked for shows that there is a next page.
        if (incidents.length === asked.limit) return { incidents, next: incidents.at(-1)?.id }
        scanned++
        const incident = isAskedFor(columns, asked) ? fromJsonColumns<Incident>(columns) : undefined
        if (incident) incidents.push(incident)
        if (scanned === SCANNED_MAX) return { incidents, next: idOf(columns) }
      }
      return { incidents, next: undefined }
    },
    remove: (id) => rows.remove(rowOf(id)),
  }
}

const isAskedFor = (columns: Columns, { state, tenantId, kind }: IncidentPage): boolean =>
  (state === undefined || columns['state'] === state) &&
  (tenantId === undefined || columns['tenantId'] === tenantId) &&
  (kind === undefined || columns['kind'] === kind)

const rowOf = (id: IncidentId) => INCIDENTS + counterpartOf(id.slice('inc_'.length))

const idOf = (columns: Columns): IncidentId => fromJsonColumns<Incident>(columns).id
