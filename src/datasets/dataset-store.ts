import { counterpartOf, type DatasetId } from '../base/ids'
import { changeRecord } from '../encryption/change-record'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import type { Dataset } from './dataset'
import { FAULTS_KEPT_MAX, FAULTS_PAGE } from './dataset-bounds'
import type { DatasetReport } from './dataset-report'
import { ExampleSketch } from './example-sketch'
import type { Fault } from './fault-list'

/** A tenant's datasets, sealed, each with its report, the pages of its faults and the sketch of its examples. */
export interface DatasetStore {
  /** False where there is one of this id. */
  insert(scope: TenantScope, dataset: Dataset): Promise<boolean>
  get(scope: TenantScope, id: DatasetId): Promise<Dataset | undefined>
  /** Asks again with what is there whenever somebody was faster; the same value back changes nothing. Undefined for none. */
  change(scope: TenantScope, id: DatasetId, edit: (dataset: Dataset) => Dataset): Promise<Dataset | undefined>
  /** The newest first, those behind `after`; read as they are consumed. */
  list(scope: TenantScope, after?: DatasetId): AsyncIterable<Dataset>
  putReport(scope: TenantScope, id: DatasetId, report: DatasetReport): Promise<void>
  report(scope: TenantScope, id: DatasetId): Promise<DatasetReport | undefined>
  putFaults(scope: TenantScope, id: DatasetId, page: number, faults: readonly Fault[]): Promise<void>
  /** Page by page from 0. */
  faults(scope: TenantScope, id: DatasetId, page: number): Promise<readonly Fault[]>
  putSketch(scope: TenantScope, id: DatasetId, sketch: ExampleSketch): Promise<void>
  sketch(scope: TenantScope, id: DatasetId): Promise<ExampleSketch | undefined>
  /** Report, faults and sketch, and then the dataset itself. */
  remove(scope: TenantScope, id: DatasetId): Promise<void>
}

type Records = Pick<
  SealedRecords,
  'get' | 'put' | 'putIfAbsent' | 'replace' | 'remove' | 'values' | 'getBytes' | 'putBytes'
>

const PREFIX = 'datasets-'
const PAGE_DIGITS = 3

export function createDatasetStore(records: Records): DatasetStore {
  const pagesOf = async (scope: TenantScope, id: DatasetId): Promise<number> => {
    let page = 0
    while (page * FAULTS_PAGE < FAULTS_KEPT_MAX && (await records.get(scope, faultsIdOf(id, page)))) page++
    return page
  }
  return {
    insert: async (scope, dataset) =>
      (await records.putIfAbsent(scope, recordIdOf(dataset.id), dataset)).kind === 'written',
    get: async (scope, id) => (await records.get<Dataset>(scope, recordIdOf(id)))?.value,
    change: (scope, id, edit) => changeRecord<Dataset>(records, scope, recordIdOf(id), (value) => value && edit(value)),
    async *list(scope, after) {
      for await (const { value } of records.values<Dataset>(scope, PREFIX, after && recordIdOf(after))) yield value
    },
    putReport: (scope, id, report) => records.put(scope, partIdOf('reports', id), report),
    report: async (scope, id) => (await records.get<DatasetReport>(scope, partIdOf('reports', id)))?.value,
    putFaults: (scope, id, page, faults) => records.put(scope, faultsIdOf(id, page), faults),
    faults: async (scope, id, page) => (await records.get<readonly Fault[]>(scope, faultsIdOf(id, page)))?.value ?? [],
    putSketch: (scope, id, sketch) => records.putBytes(scope, partIdOf('sketches', id), sketch.encode()),
    sketch: async (scope, id) => {
      const bytes = await records.getBytes(scope, partIdOf('sketches', id))
      return bytes && ExampleSketch.decode(bytes)
    },
    remove: async (scope, id) => {
      // From the last one on, so that a removal that broke off has left them without a gap.
      for (let page = await pagesOf(scope, id); page > 0; page--) await records.remove(scope, faultsIdOf(id, page - 1))
      await records.remove(scope, partIdOf('reports', id))
      await records.remove(scope, partIdOf('sketches', id))
      await records.remove(scope, recordIdOf(id))
    },
  }
}

const bodyOf = (id: DatasetId) => id.slice('dts_'.length)
const partIdOf = (part: 'reports' | 'sketches', id: DatasetId) => `dataset${part}-${bodyOf(id)}`
const faultsIdOf = (id: DatasetId, page: number) =>
  `datasetfaults-${bodyOf(id)}-${String(page).padStart(PAGE_DIGITS, '0')}`
const recordIdOf = (id: DatasetId) => PREFIX + counterpartOf(bodyOf(id))
