import type { InstanceId, ModelId } from '../base/ids'
import { parseModelId } from '../base/ids'
import { changeRecord } from '../encryption/change-record'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import {
  newDriftState,
  type Day,
  type DayCounts,
  type DaySamples,
  type DriftBaseline,
  type DriftState,
} from './drift-records'

/** What is kept of a tenant's drift: among its sealed records, so that it moves, is resealed and goes with the tenant. */
export interface DriftStore {
  baseline(scope: TenantScope, id: ModelId): Promise<DriftBaseline | undefined>
  /**
   * In place of the one that was known, and answers which one is there now: another where somebody was faster. Of two that are made at
   * a time one counts, since topics by one map say nothing beside those by another.
   */
  putBaseline(
    scope: TenantScope,
    id: ModelId,
    made: { readonly known: DriftBaseline | undefined; readonly baseline: DriftBaseline },
  ): Promise<DriftBaseline>
  /** Of all instances on one day; at most `PARTS_MAX` are read. */
  dayCounts(scope: TenantScope, id: ModelId, day: Day): Promise<readonly DayCounts[]>
  /** In place of what this instance wrote for that day before. */
  putDayCounts(scope: TenantScope, id: ModelId, day: Day, counts: DayCounts): Promise<void>
  /** A new one where there is none. */
  state(scope: TenantScope, id: ModelId): Promise<DriftState>
  /** Asks again with what is there whenever somebody was faster; the same value back changes nothing. */
  changeState(scope: TenantScope, id: ModelId, edit: (state: DriftState) => DriftState): Promise<DriftState>
  /** Adds what `grant` gives of the day's samples to those that are given out, and answers it. */
  claimSamples(scope: TenantScope, id: ModelId, day: Day, grant: (claimed: number) => number): Promise<number>
  /** Counts and claims of days before this one. */
  removeBefore(scope: TenantScope, id: ModelId, day: Day): Promise<void>
  /** Models of which something is kept. */
  models(scope: TenantScope): Promise<ReadonlySet<ModelId>>
  removeModel(scope: TenantScope, id: ModelId): Promise<void>
}

const BASELINES = 'driftbaselines-'
const COUNTS = 'driftcounts-'
const SAMPLES = 'driftsamples-'
const STATES = 'driftstates-'
/** Instances that measure one model on one day; what more of them count is not looked at. */
export const PARTS_MAX = 500
const CHANGE_ATTEMPTS_MAX = 20
const MODEL_CHARACTERS = 'mdl_'.length + 26

export function createDriftStore(records: SealedRecords): DriftStore {
  const removeAll = async (scope: TenantScope, prefix: string, isWanted: (id: string) => boolean = () => true) => {
    for await (const id of records.ids(scope, prefix)) if (isWanted(id)) await records.remove(scope, id)
  }
  return {
    baseline: async (scope, id) => (await records.get<DriftBaseline>(scope, BASELINES + id))?.value,
    putBaseline: async (scope, id, { known, baseline }) => {
      const kept = await changeRecord<DriftBaseline>(records, scope, BASELINES + id, (found) =>
        found && found.madeBy !== known?.madeBy ? found : baseline,
      )
      return kept ?? baseline
    },
    dayCounts: async (scope, id, day) => {
      const parts: DayCounts[] = []
      for await (const { value } of records.values<DayCounts>(scope, `${COUNTS}${id}-${day}-`))
        if (parts.push(value) >= PARTS_MAX) break
      return parts
    },
    putDayCounts: (scope, id, day, counts) => records.put(scope, partIdOf(id, day, counts.instanceId), counts),
    state: async (scope, id) => (await records.get<DriftState>(scope, STATES + id))?.value ?? newDriftState,
    changeState: async (scope, id, edit) =>
      (await changeRecord<DriftState>(records, scope, STATES + id, (found) => {
        const next = edit(found ?? newDriftState)
        return next === newDriftState ? found : next
      })) ?? newDriftState,
    claimSamples: async (scope, id, day, grant) => {
      const recordId = `${SAMPLES}${id}-${day}`
      for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
        const found = await records.get<DaySamples>(scope, recordId)
        const claimed = found?.value.claimed ?? 0
        const granted = grant(claimed)
        if (granted <= 0) return 0
        const next: DaySamples = { claimed: claimed + granted }
        const result = await (found
          ? records.replace(scope, recordId, next, found.etag)
          : records.putIfAbsent(scope, recordId, next))
        if (result.kind === 'written') return granted
      }
      // Others were faster each time: this instance measures nothing for a while.
      return 0
    },
    removeBefore: async (scope, id, day) => {
      for (const prefix of [`${COUNTS}${id}-`, `${SAMPLES}${id}-`])
        await removeAll(scope, prefix, (recordId) => recordId < prefix + day)
    },
    models: async (scope) => {
      const found = new Set<ModelId>()
      for (const prefix of [BASELINES, COUNTS, SAMPLES, STATES])
        for await (const recordId of records.ids(scope, prefix)) {
          const id = parseModelId(recordId.slice(prefix.length, prefix.length + MODEL_CHARACTERS))
          if (id) found.add(id)
        }
      return found
    },
    removeModel: async (scope, id) => {
      for (const prefix of [COUNTS, SAMPLES]) await removeAll(scope, `${prefix}${id}-`)
      for (const recordId of [BASELINES + id, STATES + id]) await records.remove(scope, recordId)
    },
  }
}

const partIdOf = (id: ModelId, day: Day, instanceId: InstanceId) => `${COUNTS}${id}-${day}-${instanceId}`
