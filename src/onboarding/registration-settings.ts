import { z } from 'zod'
import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { tierNames } from '../tenants/snapshot'
import { regionName, tenantAliases } from '../tenants/tenant-input'

const REGIONS_MAX = 50

/** What somebody who registers without an operator gets. */
export const registrationSettingsInput = z.strictObject({
  /** `closed` answers as if there were no registration; `approval` waits for an operator; `open` starts at once. */
  mode: z.enum(['closed', 'approval', 'open']),
  tier: z.enum(tierNames).default('free'),
  /** Where registered tenants may be at home. */
  regions: z.array(regionName).min(1).max(REGIONS_MAX),
  /** The aliases that each of them starts with. */
  aliases: tenantAliases,
})
export type RegistrationSettings = z.infer<typeof registrationSettingsInput>

export interface RegistrationSettingsStore {
  /** Closed until an operator has said otherwise. */
  get(): Promise<StoredSettings>
  /** `expects` is asked about the version that would be replaced. */
  put(settings: RegistrationSettings, expects: (version: number) => boolean): Promise<StoredSettings | Problem>
}

export interface StoredSettings extends RegistrationSettings {
  /** 0 where nothing was ever set. */
  readonly version: number
}

export const registrationStorage = { tables: ['registrations'] } as const

const changedMeanwhile = new Problem(
  'precondition_failed',
  'The settings were changed since the version in If-Match. Read them again and repeat the change on what you find.',
)

const ROW = 'settings'
const closed: StoredSettings = { version: 0, mode: 'closed', tier: 'free', regions: [], aliases: [] }

export function createRegistrationSettings(rows: PartitionTable<Columns>): RegistrationSettingsStore {
  return {
    get: async () => {
      const row = await rows.get(ROW)
      return row ? fromJsonColumns<StoredSettings>(row.columns) : closed
    },
    put: async (settings, expects) => {
      const row = await rows.get(ROW)
      const version = row ? fromJsonColumns<StoredSettings>(row.columns).version : 0
      if (!expects(version)) return changedMeanwhile
      const next = { ...settings, version: version + 1 }
      const columns = toJsonColumns(next)
      const result = await (row ? rows.replace(ROW, columns, row.etag) : rows.insert(ROW, columns))
      return result.kind === 'written' ? next : changedMeanwhile
    },
  }
}
