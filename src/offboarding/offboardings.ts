import type { TenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'

/** What is known of an offboarding while it runs, and what stays of the tenant after it: its tombstone. */
export interface Offboarding {
  readonly tenantId: TenantId
  readonly requestedBy: string
  /** Unix milliseconds. */
  readonly frozenAt: number
  readonly export?: TenantExport | undefined
  /** What was found and removed, by store. */
  readonly removed: Readonly<Record<string, number>>
  readonly dataKeyVersions: readonly { readonly version: number; readonly wrappedBy: string }[]
  readonly keyDestroyedAt?: number | undefined
  /** The sweep that found nothing, and what it looked through. */
  readonly swept?: { readonly at: number; readonly looked: readonly string[] } | undefined
  /** Compact JWS, once everything is done. */
  readonly certificate?: string | undefined
}

export interface TenantExport {
  /** In the container `exports`. */
  readonly blob: string
  readonly bytes: number
  /** Of the encrypted archive, in hex. */
  readonly sha256: string
  /** Unix milliseconds; then the archive is deleted, and its key with it. */
  readonly until: number
  /** The archive's key in base64, wrapped. Gone once it has been shown, or is of no use any more. */
  readonly wrappedKey?: string | undefined
  readonly wrappedBy: string
}

/** What the export's archive holds can be read by nobody any more but who was shown the key. */
export const withoutExportKey = (offboarding: Offboarding): Offboarding =>
  offboarding.export ? { ...offboarding, export: { ...offboarding.export, wrappedKey: undefined } } : offboarding

/** By tenant, in the platform's own partition: they outlive the tenant's. */
export interface Offboardings {
  get(tenantId: TenantId): Promise<Offboarding | undefined>
  /** Begins it, or finds the one that was begun. */
  begin(offboarding: Offboarding): Promise<Offboarding>
  /** `edit` is asked again after a lost race. */
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
