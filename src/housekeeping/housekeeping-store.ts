import type { Columns, PartitionTable } from '../storage/partition-table'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { PurgeId } from './purge'
import type { RotationReport } from './rotation-report'

/** How far a purge is, and what it has done. */
export interface PurgeState {
  /** Where the round goes on; absent at its end. */
  readonly position?: string | undefined
  /** Unix milliseconds. */
  readonly roundStartedAt: number
  readonly ranAt: number
  /** In the last piece, in the round, and ever. */
  readonly removed: number
  readonly removedInRound: number
  readonly removedEver: number
}

/** When the platform first saw a secret of this fingerprint under this name. */
export interface SeenSecret {
  /** Keyed: whoever reads the table learns nothing of the secret. */
  readonly fingerprint: string
  /** Unix milliseconds. */
  readonly sinceMs: number
}

/** What housekeeping remembers. Lost, it costs a round from the beginning, and ages that begin anew. */
export interface HousekeepingStore {
  purge(id: PurgeId): Promise<PurgeState | undefined>
  putPurge(id: PurgeId, state: PurgeState): Promise<void>
  /** What is there then: as it was where the fingerprint is the same, otherwise as given. */
  see(name: string, secret: SeenSecret): Promise<SeenSecret>
  report(): Promise<RotationReport | undefined>
  putReport(report: RotationReport): Promise<void>
}

export const housekeepingStorage = { tables: ['housekeeping'] } as const

const PURGE = 'purge_'
const SECRET = 'secret_'
const REPORT = 'report'

export function createHousekeepingStore(rows: PartitionTable<Columns>): HousekeepingStore {
  const read = async <T>(rowKey: string) => {
    const row = await rows.get(rowKey)
    return row && fromJsonColumns<T>(row.columns)
  }
  return {
    purge: (id) => read(PURGE + id),
    putPurge: (id, state) => rows.put(PURGE + id, toJsonColumns(state)),
    see: async (name, secret) => {
      const rowKey = SECRET + encodeURIComponent(name)
      const known = await read<SeenSecret>(rowKey)
      if (known?.fingerprint === secret.fingerprint) return known
      await rows.put(rowKey, toJsonColumns(secret))
      return secret
    },
    report: () => read(REPORT),
    putReport: (report) => rows.put(REPORT, toJsonColumns(report)),
  }
}
