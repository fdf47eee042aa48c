import { hash } from 'node:crypto'
import type { ModelId } from '../base/ids'
import { changeRecord } from '../encryption/change-record'
import { countRecords, removeRecords } from '../encryption/record-ranges'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import { HISTORY_MAX, modelIdOfName, type ModelEvent, type ModelVersion } from './model-version'

/** A tenant's tuned models. One of another tenant's is one that never was (I3). */
export interface Registry {
  /** Gives it the next number of its family. Repeated for the same id it answers with what is there, changed or not. */
  register(scope: TenantScope, model: NewModelVersion): Promise<ModelVersion>
  get(scope: TenantScope, id: ModelId): Promise<ModelVersion | undefined>
  /** By the name that its tenant calls it by. */
  byName(scope: TenantScope, name: string): Promise<ModelVersion | undefined>
  /** Those behind `after`, the oldest first; read page by page as they are consumed. */
  list(scope: TenantScope, after?: ModelId): AsyncIterable<ModelVersion>
  /** Asks again with what is there whenever somebody was faster; the same value back changes nothing. Undefined for none. */
  change(
    scope: TenantScope,
    id: ModelId,
    edit: (model: ModelVersion) => ModelVersion,
  ): Promise<ModelVersion | undefined>
  /** Its number is not given again. What it has at accounts has to be gone before. */
  remove(scope: TenantScope, id: ModelId): Promise<void>
  removeAll(scope: TenantScope): Promise<void>
  count(scope: TenantScope): Promise<number>
}

export type NewModelVersion = Omit<ModelVersion, 'version' | 'history' | 'evaluations' | 'promotions'>

/** Versions in the order of their numbers, from 1, removed ones too. */
interface Family {
  readonly versions: readonly ModelId[]
}

const PREFIX = 'models-'
const FAMILY_PREFIX = 'modelfamilies-'
/** Of one family, removed ones counted. */
const VERSIONS_MAX = 10_000

export function createRegistry(records: SealedRecords): Registry {
  const get = async (scope: TenantScope, id: ModelId) => (await records.get<ModelVersion>(scope, recordIdOf(id)))?.value

  /** The number is the place in the family's list: kept before the version is, so that a repeated registration finds it. */
  const numberOf = async (scope: TenantScope, family: string, id: ModelId): Promise<number> => {
    const listed = await changeRecord<Family>(records, scope, familyIdOf(family), (before) => {
      const versions = before?.versions ?? []
      if (versions.includes(id)) return before
      if (versions.length >= VERSIONS_MAX) throw new Error(`${family} has had ${VERSIONS_MAX} versions`)
      return { versions: [...versions, id] }
    })
    return (listed?.versions.indexOf(id) ?? -1) + 1
  }

  return {
    get,
    register: async (scope, model) => {
      const { id, family, registeredAt, lineage } = model
      const version = await numberOf(scope, family, id)
      const registered: ModelEvent = { atMs: registeredAt, kind: 'registered', by: lineage.jobId }
      const fresh: ModelVersion = { ...model, version, history: [registered], evaluations: [], promotions: [] }
      const result = await records.putIfAbsent(scope, recordIdOf(id), fresh)
      return result.kind === 'written' ? fresh : ((await get(scope, id)) ?? fresh)
    },
    byName: async (scope, name) => {
      const id = modelIdOfName(name)
      const model = id && (await get(scope, id))
      return model?.name === name ? model : undefined
    },
    async *list(scope, after) {
      const from = after && recordIdOf(after)
      for await (const { value } of records.values<ModelVersion>(scope, PREFIX, from)) yield value
    },
    change: (scope, id, edit) =>
      changeRecord<ModelVersion>(records, scope, recordIdOf(id), (value) => value && edit(value)),
    remove: (scope, id) => records.remove(scope, recordIdOf(id)),
    removeAll: (scope) => removeRecords(records, scope, [PREFIX, FAMILY_PREFIX]),
    count: (scope) => countRecords(records, scope, PREFIX),
  }
}

/** The version with one more event; the oldest but the first are forgotten. */
export function withEvent(model: ModelVersion, event: ModelEvent): ModelVersion {
  const [first, ...others] = model.history
  const kept = [...others, event].slice(-(HISTORY_MAX - 1))
  return { ...model, history: first ? [first, ...kept] : kept }
}

const recordIdOf = (id: ModelId) => `${PREFIX}${id}`
/** Families have the tenant's own words, which ids of records do not take. */
const familyIdOf = (family: string) => `${FAMILY_PREFIX}${hash('sha256', family, 'hex').slice(0, 32)}`
