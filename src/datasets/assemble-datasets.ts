import type { Clock } from '../base/clock'
import type { IdMaker } from '../base/ids'
import type { SealedRecords } from '../encryption/sealed-records'
import type { Files } from '../files/files'
import { createCheckedFiles } from './checked-files'
import { datasetChecklist } from './dataset-checklist'
import { createDatasetStore } from './dataset-store'
import { createDatasets } from './datasets'
import { trainingPrices, type TrainingPricesAt } from './training-prices'

export interface DatasetsParts {
  readonly records: SealedRecords
  readonly files: Pick<Files, 'get' | 'read'>
  /** The built-in list where none is given. */
  readonly pricesAt?: TrainingPricesAt
  readonly ids: IdMaker
  readonly clock: Clock
}

/** The slice put together. */
export function assembleDatasets({ records, files, pricesAt = () => trainingPrices, ids, clock }: DatasetsParts) {
  const deps = { store: createDatasetStore(records), files, pricesAt, ids, clock }
  const datasets = createDatasets(deps)
  return { datasets, checkedFiles: createCheckedFiles(deps), checklist: datasetChecklist(datasets) }
}
