import { assert } from '../base/assert'
import { counterpartOf, encodeTime, type IncidentId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import { changesMax, type Columns, type RowChange } from '../storage/partition-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantTable } from '../storage/tenant-table'
import type { Incident } from './incident'
import type { SlaReport } from './sla-report'
import type { SlaState } from './sla-state'

/**
 * What is kept of a tenant beside what it is promised (policies.ts): what the timer remembers, its incidents and its frozen reports. Numbers and ids, in the
 * tenant's partition, so that the state and the incidents that follow from it change together.
 */
export interface SlaStore {
  state(scope: TenantScope): Promise<StoredState | undefined>
  /** All or nothing; false where somebody else was faster, and then nothing of it is true. */
  putState(scope: TenantScope, change: StateChange): Promise<boolean>
  incident(scope: TenantScope, id: IncidentId): Promise<Incident | undefined>
  /** The newest first; those behind `after`. */
  incidents(scope: TenantScope, page: { after?: IncidentId | undefined; limit: number }): Promise<readonly Incident[]>
  /** Those that had begun before `toMs` and not ended by `fromMs`, the oldest first; at most the newest INCIDENTS_READ_MAX. */
  incidentsIn(scope: TenantScope, span: { fromMs: number; toMs: number }): Promise<readonly Incident[]>
  removeIncident(scope: TenantScope, id: IncidentId): Promise<void>
  report(scope: TenantScope, month: string): Promise<SlaReport | undefined>
  /** The one that is kept: whoever froze the month first. */
  freeze(scope: TenantScope, report: SlaReport): Promise<SlaReport>
}

export interface StoredState {
  readonly state: SlaState
  readonly etag: string
}

interface StateChange {
  readonly state: SlaState
  /** Of the state that it follows; undefined where there was none. */
  readonly etag: string | undefined
  readonly incidents: readonly Incident[]
}

export const slaStorage = { tables: ['sla', 'slaindex'] } as const

const STATE = 'state'
const INCIDENTS = 'incident-'
const REPORTS = 'report-'
const END = '~'
/** Of one month: with the longest evidence these take most of the room that a report has in its row. */
const INCIDENTS_READ_MAX = 100
/** An incident that began before a month may reach into it; by its id it was found within this time of its beginning. */
const FOUND_WITHIN_MS = 31 * 86_400_000

export function createSlaStore(rows: TenantTable<Columns>): SlaStore {
  const incidentsBetween = async function* (scope: TenantScope, from: string, to: string) {
    for await (const { columns } of rows.range(scope, from, to)) yield fromJsonColumns<Incident>(columns)
  }
  return {
    state: async (scope) => {
      const row = await rows.get(scope, STATE)
      return row && { state: fromJsonColumns<SlaState>(row.columns), etag: row.etag }
    },
    putState: async (scope, { state, etag, incidents }) => {
      assert(incidents.length < changesMax, 'a run judges so few minutes that all that happens fits a transaction')
      const columns = toJsonColumns(state)
      const changes: RowChange<Columns>[] = [
        etag === undefined
          ? { kind: 'insert', rowKey: STATE, columns }
          : { kind: 'replace', rowKey: STATE, columns, etag },
        ...incidents.map((incident): RowChange<Columns> => ({
          kind: 'put',
          rowKey: incidentRow(incident.id),
          columns: toJsonColumns(incident),
        })),
      ]
      return (await rows.partition(scope).change(changes)).kind === 'written'
    },
    incident: async (scope, id) => {
      const row = await rows.get(scope, incidentRow(id))
      return row && fromJsonColumns<Incident>(row.columns)
    },
    incidents: async (scope, { after, limit }) => {
      const found: Incident[] = []
      const from = after === undefined ? INCIDENTS : `${incidentRow(after)} `
      for await (const incident of incidentsBetween(scope, from, INCIDENTS + END))
        if (found.push(incident) >= limit) break
      return found
    },
    incidentsIn: async (scope, { fromMs, toMs }) => {
      const found: Incident[] = []
      const [newest, oldest] = [rowsFoundBefore(toMs + FOUND_WITHIN_MS), rowsFoundBefore(fromMs - FOUND_WITHIN_MS)]
      for await (const incident of incidentsBetween(scope, newest, oldest)) {
        if (incident.startedAt < toMs && (incident.end?.at ?? Infinity) > fromMs) found.push(incident)
        if (found.length >= INCIDENTS_READ_MAX) break
      }
      return found.toReversed()
    },
    removeIncident: (scope, id) => rows.remove(scope, incidentRow(id)),
    report: async (scope, month) => {
      const row = await rows.get(scope, REPORTS + month)
      return row && fromJsonColumns<SlaReport>(row.columns)
    },
    freeze: async (scope, report) => {
      const rowKey = REPORTS + report.month
      const result = await rows.insert(scope, rowKey, toJsonColumns(report))
      if (result.kind === 'written') return report
      const kept = await rows.get(scope, rowKey)
      return kept ? fromJsonColumns<SlaReport>(kept.columns) : report
    },
  }
}

/** Row keys run from the newest to the oldest. */
const incidentRow = (id: IncidentId) => INCIDENTS + counterpartOf(id.slice('inc_'.length))

/** Where the rows of incidents begin that were found by then. */
const rowsFoundBefore = (ms: number) => INCIDENTS + counterpartOf(encodeTime(Math.max(0, ms)))
