import { counterpartOf, type TuningJobId } from '../base/ids'
import type { DatasetReport, DatasetRole } from '../datasets/dataset-report'
import { changeRecord } from '../encryption/change-record'
import { countRecords, removeRecords } from '../encryption/record-ranges'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import type { TuningJob } from './tuning-job'

/** A tenant's jobs, changed by compare-and-swap only: their steps and their owner's requests meet there. */
export interface TuningStore {
  insert(scope: TenantScope, job: TuningJob): Promise<void>
  get(scope: TenantScope, id: TuningJobId): Promise<TuningJob | undefined>
  /** Asks again with what is there whenever somebody was faster; the same job back changes nothing. Undefined for none. */
  change(scope: TenantScope, id: TuningJobId, edit: (job: TuningJob) => TuningJob): Promise<TuningJob | undefined>
  /** Newest first, those made before `after`; read as they are consumed. */
  list(scope: TenantScope, after?: TuningJobId): AsyncIterable<TuningJob>
  putReport(scope: TenantScope, id: TuningJobId, report: DatasetReport): Promise<void>
  report(scope: TenantScope, id: TuningJobId, role: DatasetRole): Promise<DatasetReport | undefined>
  /** Every job with its reports. */
  removeAll(scope: TenantScope): Promise<void>
  count(scope: TenantScope): Promise<number>
}

type Records = Pick<SealedRecords, 'get' | 'put' | 'putIfAbsent' | 'replace' | 'remove' | 'ids' | 'values'>

const PREFIX = 'tuningjobs-'
const REPORT_PREFIX = 'tuningreports-'

export function createTuningStore(records: Records): TuningStore {
  return {
    insert: async (scope, job) => {
      const result = await records.putIfAbsent(scope, recordIdOf(job.id), job)
      if (result.kind === 'lost-race') throw new Error(`${job.id} is taken`)
    },
    get: async (scope, id) => (await records.get<TuningJob>(scope, recordIdOf(id)))?.value,
    change: (scope, id, edit) =>
      changeRecord<TuningJob>(records, scope, recordIdOf(id), (value) => value && edit(value)),
    async *list(scope, after) {
      for await (const { value } of records.values<TuningJob>(scope, PREFIX, after && recordIdOf(after))) yield value
    },
    putReport: (scope, id, report) => records.put(scope, reportIdOf(id, report.role), report),
    report: async (scope, id, role) => (await records.get<DatasetReport>(scope, reportIdOf(id, role)))?.value,
    removeAll: (scope) => removeRecords(records, scope, [REPORT_PREFIX, PREFIX]),
    count: (scope) => countRecords(records, scope, PREFIX),
  }
}

const recordIdOf = (id: TuningJobId): string => PREFIX + counterpartOf(id.slice('ftjob-'.length))

const reportIdOf = (id: TuningJobId, role: DatasetRole) => `${REPORT_PREFIX}${id}-${role}`
