import { assert } from '../base/assert'
import { parseDatasetId, type DatasetId } from '../base/ids'
import { Problem } from '../base/problem'
import { done, type Checklist, type Operation, type StepOutcome } from '../checklists/checklist'
import { TenantScope } from '../storage/tenant-scope'
import type { Datasets } from './datasets'

export const datasetName = 'dataset'

/** It runs under the dataset's own id and needs to be told nothing more. */
export type DatasetInput = Readonly<Record<string, never>>

/** What an outage adds to minutes of reading. */
const READ_MS_MAX = 6 * 3_600_000
const ATTEMPTS_MAX = 200
const AGAIN_MS = 2_000

/**
 * Reads a dataset that was registered, and compares it with its validation data once that is read too. A reading that breaks off begins
 * anew: a minute's work at most, and what of a hash is half made cannot be kept.
 */
export const datasetChecklist = (datasets: Datasets): Checklist<DatasetInput> => ({
  name: datasetName,
  onFailure: 'undo',
  steps: [
    {
      id: 'validate',
      timeoutMs: READ_MS_MAX,
      attemptsMax: ATTEMPTS_MAX,
      do: async (operation) => {
        const { scope, id } = subjectOf(operation)
        const dataset = await datasets.validate(scope, id)
        return done(dataset ? { state: dataset.state.kind } : undefined)
      },
      undo: async (operation) => {
        const { scope, id } = subjectOf(operation)
        await datasets.fail(scope, id)
      },
    },
    {
      id: 'compare',
      timeoutMs: READ_MS_MAX,
      attemptsMax: ATTEMPTS_MAX,
      do: async (operation) => {
        const { scope, id } = subjectOf(operation)
        return compare(datasets, scope, id)
      },
    },
  ],
})

/** With what it was registered with, where it was. */
async function compare(datasets: Datasets, scope: TenantScope, id: DatasetId): Promise<StepOutcome> {
  const dataset = await datasets.get(scope, id)
  if (!dataset?.validationId || dataset.state.kind !== 'validated') return done()
  const validation = await datasets.get(scope, dataset.validationId)
  if (validation?.state.kind === 'validating') return { kind: 'not-yet', againAfterMs: AGAIN_MS }
  const found = await datasets.leakage(scope, id, dataset.validationId)
  // Of one that was deleted, or could not be read, there is nothing to compare with.
  return found instanceof Problem ? done() : done(found ? { leaked: String(found.leaked.lines) } : undefined)
}

function subjectOf({ tenantId, operationId }: Operation<DatasetInput>): { scope: TenantScope; id: DatasetId } {
  const id = parseDatasetId(operationId)
  assert(id, 'a dataset’s checklist runs under its own id')
  return { scope: TenantScope.ofPlatform(tenantId), id }
}
