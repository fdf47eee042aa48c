import { assert } from '../base/assert'
import { counterpartOf, encodeTime, type IncidentId } from '../base/ids'
import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import { changesMax, type Columns, type RowChange } from '../storage/partition-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantTable } from '../storage/tenant-table'
import type { Incident } from './incident'
import { defaultPolicy, type SlaPolicy } from './objective'
import type { SlaReport } from './sla-report'
import type { SlaState } from './sla-state'

/**
 * What is kept of a tenant: what it was promised, what the timer remembers, its incidents and its frozen reports. Numbers and ids, in the
 * tenant's partition, so that the state and the incidents that follow from it change together.
 */
export interface SlaStore {
  /** Version 0 is the default, which nobody has set. */
  policy(scope: TenantScope): Promise<StoredPolicy>
  /** `expects` is asked about the version that would be replaced. */
  putPolicy(
    scope: TenantScope,
    policy: SlaPolicy,
    expects: (version: number) => boolean,
  ): Promise<StoredPolicy | Problem>
  state(scope: TenantScope): Promise<StoredState | undefined>
  /** All or nothing; false where somebody else was faster, and then nothing of it is true. */
  putState(scope: TenantScope, change: StateChange): Promise<boolean>
  incident(scope: TenantScope, id: IncidentId): Promise<Incident | undefined>
  /** The newest first; those behind `after`. */
  incidents(scope: TenantScope, page: { after?: IncidentId | undefined; limit: number }): Promise<readonly Incident[]>
  /** Those that had begun before `toMs` and not ended by `fromMs`, the oldest first; at most INCIDENTS_READ_MAX. */
  incidentsIn(scope: TenantScope, span: { fromMs: number; toMs: number }): Promise<readonly Incident[]>
  removeIncident(scope: TenantScope, id: IncidentId): Promise<void>
  report(scope: TenantScope, month: string): Promise<SlaReport | undefined>
  /** The one that is kept: whoever froze the month first. */
  freeze(scope: TenantScope, report: SlaReport): Promise<SlaReport>
}

export interface StoredPolicy extends SlaPolicy {
  readonly version: number
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

const POLICY = 'policy'
const STATE = 'state'
const INCIDENTS = 'incident-'
const REPORTS = 'report-'
const END = '~'
/** Of one month. An objective opens one an hour at most. */
const INCIDENTS_READ_MAX = 1_000
/** An incident that began before a month may reach into it; by its id it was found within this time of its beginning. */
const FOUND_WITHIN_MS = 31 * 86_400_000

const changedMeanwhile = new Problem(
  'precondition_failed',
  'The objectives were changed since the version in If-Match. Read them again and repeat the change on what you find.',
)

export function createSlaStore(rows: TenantTable<Columns>): SlaStore {
  const incidentsBetween = async function* (scope: TenantScope, from: string, to: string) {
    for await (const { columns } of rows.range(scope, from, to)) yield fromJsonColumns<Incident>(columns)
  }
  return {
    policy: async (scope) => {
      const row = await rows.get(scope, POLICY)
      return row ? fromJsonColumns<StoredPolicy>(row.columns) : { version: 0, ...defaultPolicy }
    },
    putPolicy: async (scope, policy, expects) => {
      const row = await rows.get(scope, POLICY)
      const version = row ? fromJsonColumns<StoredPolicy>(row.columns).version : 0
      if (!expects(version)) return changedMeanwhile
      const next: StoredPolicy = { ...policy, version: version + 1 }
      const columns = toJsonColumns(next)
      const result = await (row ? rows.replace(scope, POLICY, columns, row.etag) : rows.insert(scope, POLICY, columns))
      return result.kind === 'written' ? next : changedMeanwhile
    },
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
