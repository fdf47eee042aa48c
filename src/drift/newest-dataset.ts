import type { DatasetId } from '../base/ids'
import type { Dataset } from '../datasets/dataset'
import type { Datasets } from '../datasets/datasets'
import { familyOf } from '../datasets/training-models'
import type { ModelVersion } from '../registry/model-version'
import type { TenantScope } from '../storage/tenant-scope'
import type { DriftPolicy } from './drift-records'

/** Newest first; one that is older than so many others is not found. */
const LOOKED_AT_MAX = 500
const PAGE = 100

/** The newest dataset that the policy lets a model be trained further on; undefined for none, or where it lets nothing be started. */
export async function newestDatasetFor(
  datasets: Pick<Datasets, 'page'>,
  scope: TenantScope,
  { model, policy }: { readonly model: ModelVersion; readonly policy: DriftPolicy },
): Promise<Dataset | undefined> {
  if (policy.kind !== 'start') return undefined
  let after: DatasetId | undefined
  for (let looked = 0; looked < LOOKED_AT_MAX; looked += PAGE) {
    const page = await datasets.page(scope, { after, limit: PAGE })
    for (const dataset of page.datasets) {
      // What was there when the model was trained says nothing of what it is asked since.
      if (dataset.createdAt <= model.registeredAt) return undefined
      if (isFor(model, dataset) && dataset.file.filename.startsWith(policy.filenamePrefix ?? '')) return dataset
    }
    after = page.datasets.at(-1)?.id
    if (!page.hasMore) return undefined
  }
  return undefined
}

/** Registered and consented to by its tenant, and sound by the rules of the model's own training. */
const isFor = (
  { lineage }: ModelVersion,
  { origin, role, method, baseModel, file, consent, state }: Dataset,
): boolean =>
  origin === 'registered' &&
  role === 'training' &&
  method === lineage.method &&
  familyOf(baseModel) === familyOf(lineage.baseModel) &&
  file.id !== lineage.training.fileId &&
  consent !== undefined &&
  state.kind === 'validated' &&
  state.summary.valid
