import type { StampId } from '../base/ids'
import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import type { Stamp } from './stamp'
import type { StampInput, StampPatch } from './stamp-input'

/** The platform's stamps. Read when a tenant is placed, never on the data path, so nothing is cached. */
export interface Stamps {
  read(id: StampId): Promise<StoredStamp | undefined>
  /** In order of id. */
  list(): Promise<StoredStamp[]>
  /** A stamp that has this id already is returned as it is. */
  create(id: StampId, input: StampInput): Promise<StoredStamp | Problem>
  /** `expects` is asked about the version that would be changed; a no is `precondition_failed`. */
  patch(id: StampId, patch: StampPatch, expects: Expects): Promise<StoredStamp | Problem>
  /** What was made on it stays, and is found by the tenants' own records. */
  remove(id: StampId, expects: Expects): Promise<Problem | undefined>
}

export interface StoredStamp {
  readonly stamp: Stamp
  /** Rises with every change; in quotes the ETag. */
  readonly version: number
}

type Expects = (version: number) => boolean

export const stampStorage = { tables: ['stamps'] } as const

const STAMPS_MAX = 500
const CHANGE_ATTEMPTS_MAX = 5
const FIRST = 'stm_'
/** Above every id, whose characters are lower-case letters and digits. */
const END = 'stm_~'

const noSuchStamp = new Problem('not_found', 'There is no such stamp.')
const changedMeanwhile = new Problem(
  'precondition_failed',
  'The stamp was changed since the version in If-Match. Read it again and repeat the change on what you find.',
)

export function createStamps(table: PartitionTable<Columns>): Stamps {
  const list = async () => {
    const found: StoredStamp[] = []
    for await (const { columns } of table.range(FIRST, END)) found.push(fromJsonColumns<StoredStamp>(columns))
    return found
  }
  const read = async (id: StampId) => {
    const row = await table.get(id)
    return row && fromJsonColumns<StoredStamp>(row.columns)
  }
  return {
    read,
    list,
    create: async (id, input) => {
      if ((await list()).length >= STAMPS_MAX)
        return new Problem('conflict', `The platform has at most ${STAMPS_MAX} stamps. Delete one first.`)
      const stored: StoredStamp = { stamp: { id, ...input }, version: 1 }
      const result = await table.insert(id, toJsonColumns(stored))
      return result.kind === 'written' ? stored : ((await read(id)) ?? noSuchStamp)
    },
    patch: async (id, patch, expects) => {
      for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
        const row = await table.get(id)
        if (!row) return noSuchStamp
        const { stamp, version } = fromJsonColumns<StoredStamp>(row.columns)
        if (!expects(version)) return changedMeanwhile
        const next: StoredStamp = { stamp: patched(stamp, patch), version: version + 1 }
        const result = await table.replace(id, toJsonColumns(next), row.etag)
        if (result.kind === 'written') return next
      }
      return new Problem('conflict', 'Others are changing this stamp at the moment. Try again.')
    },
    remove: async (id, expects) => {
      const stored = await read(id)
      if (!stored) return noSuchStamp
      if (!expects(stored.version)) return changedMeanwhile
      await table.remove(id)
      return undefined
    },
  }
}

const patched = (stamp: Stamp, patch: StampPatch): Stamp => ({
  ...stamp,
  name: patch.name ?? stamp.name,
  modelAccountIds: patch.modelAccountIds ?? stamp.modelAccountIds,
  acceptsTenants: patch.acceptsTenants ?? stamp.acceptsTenants,
  reservedFor: patch.reservedFor === undefined ? stamp.reservedFor : patch.reservedFor,
})
