import type { InstanceId, ModelId } from '../base/ids'
import { parseModelId } from '../base/ids'
import { changeRecord } from '../encryption/change-record'
import { removeRecords } from '../encryption/record-ranges'
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
  /** Adds what `grant` gives of the day's samples to those that are given out, and answers it; 0 gives none. */
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
const MODEL_CHARACTERS = 'mdl_'.length + 26

export function createDriftStore(records: SealedRecords): DriftStore {
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
      let granted = 0
      await changeRecord<DaySamples>(records, scope, `${SAMPLES}${id}-${day}`, (found) => {
        const claimed = found?.claimed ?? 0
        granted = Math.max(0, grant(claimed))
        return granted > 0 ? { claimed: claimed + granted } : found
      })
      return granted
    },
    removeBefore: async (scope, id, day) => {
      for (const prefix of [`${COUNTS}${id}-`, `${SAMPLES}${id}-`])
        await removeRecords(records, scope, [prefix], (recordId) => recordId < prefix + day)
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
      await removeRecords(records, scope, [`${COUNTS}${id}-`, `${SAMPLES}${id}-`])
      for (const recordId of [BASELINES + id, STATES + id]) await records.remove(scope, recordId)
    },
  }
}

const partIdOf = (id: ModelId, day: Day, instanceId: InstanceId) => `${COUNTS}${id}-${day}-${instanceId}`
