import type { Datasets } from '../datasets/datasets'
import { invalid } from '../inference/body-fields'
import type { TenantScope } from '../storage/tenant-scope'
import type { TuningConsent, TuningOrder } from './tuning-job'

/** What was given before for each of a job's files, as datasets; undefined where one has none. */
export async function givenConsent(
  datasets: Pick<Datasets, 'consentFor'>,
  scope: TenantScope,
  { trainingFileId, validationFileId }: TuningOrder,
): Promise<TuningConsent | undefined> {
  const found = await datasets.consentFor(scope, [trainingFileId, ...(validationFileId ? [validationFileId] : [])])
  return found && { by: found.by, atMs: found.atMs }
}

export const noConsent = invalid(
  'consent',
  'must be true, or have been given for each of the files as a dataset before',
)
