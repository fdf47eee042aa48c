import type { IdMaker } from '../../src/base/ids'
import { modelIdOf, tunedModelName } from '../../src/registry/model-version'
import type { NewModelVersion } from '../../src/registry/registry'

export const TUNED_MODEL = 'gpt-4.1-mini'
export const TUNED_RELEASE = 'gpt-4.1-mini-2025-04-14'

/** A version as a finished job registers it, deployed nowhere; `more` in place of what it says. */
export function tunedVersion(
  { ids, nowMs, suffix }: { ids: IdMaker; nowMs: number; suffix?: string | undefined },
  more: Pick<NewModelVersion, 'upstream'> & Partial<NewModelVersion>,
): NewModelVersion {
  const jobId = ids.tuningJobId()
  const id = modelIdOf(jobId)
  return {
    id,
    name: tunedModelName(id, { baseModel: TUNED_RELEASE, suffix }),
    family: TUNED_MODEL,
    registeredAt: nowMs,
    lineage: {
      jobId,
      baseModel: TUNED_RELEASE,
      method: 'supervised',
      trainingType: 'standard',
      hyperparameters: {},
      training: { fileId: ids.fileId(), contentHash: 'sha256:00', examples: 10 },
      by: ids.keyId(),
      consentAt: nowMs,
    },
    training: { finishedAt: nowMs, metrics: {} },
    deployment: { kind: 'none' },
    ...more,
  }
}
