import type { TenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'

/** What is known of an offboarding while it runs, and what stays of the tenant after it: its tombstone. */
export interface Offboarding {
  readonly tenantId: TenantId
  readonly requestedBy: string
  /** Unix milliseconds. */
  readonly frozenAt: number
  readonly export?: { readonly bytes: number; readonly sha256: string; readonly until: number } | undefined
  /** Whether the export's key has been shown. */
  readonly exportShown?: boolean | undefined
  readonly removed: Readonly<Record<string, number>>
  readonly dataKeyVersions: readonly { readonly version: number; readonly wrappedBy: string }[]
  /** Compact JWS, once everything is done. */
  readonly certificate?: string | undefined
}

/** By tenant, in the platform's own partition: they outlive the tenant's. */
export interface Offboardings {
  get(tenantId: TenantId): Promise<Offboarding | undefined>
  /** Begins it, or finds the one that was begun. */
  begin(offboarding: Offboarding): Promise<Offboarding>
  change(tenantId: TenantId, edit: (offboarding: Offboarding) => Offboarding): Promise<Offboarding>
}

export const offboardingStorage = { tables: ['offboardings'], containers: ['exports'] } as const

const CHANGE_ATTEMPTS_MAX = 5

export function createOffboardings(rows: PartitionTable<Columns>): Offboardings {
  const read = async (tenantId: TenantId) => {
    const row = await rows.get(tenantId)
    return row && { offboarding: fromJsonColumns<Offboarding>(row.columns), etag: row.etag }
  }
  return {
    get: async (tenantId) => (await read(tenantId))?.offboarding,
    begin: async (offboarding) => {
      await rows.insert(offboarding.tenantId, toJsonColumns(offboarding))
      return (await read(offboarding.tenantId))?.offboarding ?? offboarding
    },
    change: async (tenantId, edit) => {
      for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
        const found = await read(tenantId)
        if (!found) throw new Error(`there is no offboarding of ${tenantId}`)
        const edited = edit(found.offboarding)
        const result = await rows.replace(tenantId, toJsonColumns(edited), found.etag)
        if (result.kind === 'written') return edited
      }
      throw new Error(`the offboarding of ${tenantId} lost every race to be written`)
    },
  }
}
