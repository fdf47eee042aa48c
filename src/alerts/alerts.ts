import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'

/** Something that an operator has to look at. Raised again under the same id it is the same alert, seen once more. */
export interface Alert {
  /** Names what is wrong for good: `undo-failed/onb_…/models`. */
  readonly id: string
  readonly tenantId: TenantId | undefined
  readonly title: string
  /** What is known and what to do; no content, no secrets. */
  readonly detail: string
  /** Whom else it concerns: `tenant` is for the tenant's own contacts, too. Absent: operators alone. */
  readonly audience?: 'tenant' | undefined
  readonly state: 'open' | 'resolved'
  /** Unix milliseconds. */
  readonly raisedAt: number
  readonly lastSeenAt: number
  readonly timesSeen: number
}

export interface Alerts {
  raise(alert: RaisedAlert): Promise<void>
  /** For what happens once: an alert of this id that is there already stays as it is, whoever raised it. */
  raiseOnce(alert: RaisedAlert): Promise<void>
  /** What was wrong is mended. Without an open alert of this id nothing happens. */
  resolve(id: string): Promise<void>
  /** The oldest id first; `after` is the last id of the page before. */
  page(page: { after: string | undefined; limit: number }): Promise<readonly Alert[]>
}

export type RaisedAlert = Pick<Alert, 'id' | 'tenantId' | 'title' | 'detail' | 'audience'>

export const alertStorage = { tables: ['alerts'] } as const

const ATTEMPTS_MAX = 5

export function createAlerts({ rows, clock }: { rows: PartitionTable<Columns>; clock: Clock }): Alerts {
  return {
    raise: async (raised) => {
      const rowKey = encodeURIComponent(raised.id)
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const nowMs = clock.now()
        const row = await rows.get(rowKey)
        const known = row && fromJsonColumns<Alert>(row.columns)
        const alert: Alert = {
          ...raised,
          state: 'open',
          raisedAt: known?.raisedAt ?? nowMs,
          lastSeenAt: nowMs,
          timesSeen: (known?.timesSeen ?? 0) + 1,
        }
        const columns = toJsonColumns(alert)
        const result = await (row ? rows.replace(rowKey, columns, row.etag) : rows.insert(rowKey, columns))
        if (result.kind === 'written') return
      }
      throw new Error(`alert ${raised.id} lost every race to be written`)
    },
    raiseOnce: async (raised) => {
      const nowMs = clock.now()
      const alert: Alert = { ...raised, state: 'open', raisedAt: nowMs, lastSeenAt: nowMs, timesSeen: 1 }
      await rows.insert(encodeURIComponent(raised.id), toJsonColumns(alert))
    },
    resolve: async (id) => {
      const rowKey = encodeURIComponent(id)
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const row = await rows.get(rowKey)
        const known = row && fromJsonColumns<Alert>(row.columns)
        if (!row || known?.state !== 'open') return
        const resolved: Alert = { ...known, state: 'resolved' }
        const result = await rows.replace(rowKey, toJsonColumns(resolved), row.etag)
        if (result.kind === 'written') return
      }
      throw new Error(`alert ${id} lost every race to be resolved`)
    },
    page: async ({ after, limit }) => {
      const found: Alert[] = []
      const from = after === undefined ? '' : `${encodeURIComponent(after)} `
      for await (const row of rows.range(from, '~')) {
        if (found.push(fromJsonColumns<Alert>(row.columns)) >= limit) break
      }
      return found
    },
  }
}
