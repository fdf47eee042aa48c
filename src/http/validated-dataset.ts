import type { DatasetId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Dataset } from '../datasets/dataset'
import type { DatasetReport } from '../datasets/dataset-report'
import type { Datasets } from '../datasets/datasets'
import type { TenantScope } from '../storage/tenant-scope'
import { notFound } from './plain-request'

/** A dataset with its report, or why there is none. */
export async function validatedDataset(
  datasets: Pick<Datasets, 'get' | 'report'>,
  scope: TenantScope,
  id: DatasetId,
): Promise<{ dataset: Dataset; report: DatasetReport; faultsKept: number } | Problem> {
  const dataset = await datasets.get(scope, id)
  if (!dataset) return notFound
  const { state } = dataset
  if (state.kind === 'validating') return new Problem('conflict', 'The dataset is being validated still.')
  if (state.kind === 'failed') return new Problem('conflict', `The dataset was not read. ${state.message}`)
  const report = await datasets.report(scope, id)
  return report ? { dataset, report, faultsKept: state.summary.faultsKept } : notFound
}
