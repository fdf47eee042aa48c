import { assert } from '../../base/assert'
import { done } from '../../checklists/checklist'
import { familyOf } from '../../datasets/training-models'
import { modelIdOf, type DatasetLineage } from '../../registry/model-version'
import type { NewModelVersion } from '../../registry/registry'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import type { DatasetFacts, TuningJob } from '../tuning-job'
import { onJobWanted, say, type TuningRun } from '../tuning-run'
import { modelNameOf } from '../tuning-view'

/** The model is the tenant's: one version in its registry, with all that it was made of. */
export const registerStep = (deps: TuningDeps): TuningStep => ({
  id: 'register',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJobWanted(deps, async (run) => {
    const { scope, id, job } = run
    const modelId = modelIdOf(id)
    // Named first: a job that is cancelled from here on has a model to take back.
    await deps.store.change(scope, id, (before) => (before.modelId ? before : { ...before, modelId }))
    const model = await deps.registry.register(scope, await versionOf(deps, run))
    await say(deps, run, 'registered', `The model is version ${model.version} of ${model.family}: ${modelNameOf(job)}.`)
    return done({ modelId })
  }),
})

async function versionOf({ events, clock }: TuningDeps, { scope, id, job }: TuningRun): Promise<NewModelVersion> {
  const { order, account, checked, seen, by, consent } = job
  assert(account && checked && seen?.model !== undefined, 'a model that is registered was trained')
  const said = await events.list(scope, id)
  const checkpoints = await events.checkpoints(scope, id)
  const last = checkpoints.toSorted((a, b) => a.step - b.step).at(-1)
  const metrics = last?.metrics ?? said.findLast(({ type }) => type === 'metrics')?.data ?? {}
  return {
    id: modelIdOf(id),
    name: modelNameOf(job),
    family: order.suffix === undefined ? familyOf(order.baseModel) : `${familyOf(order.baseModel)}:${order.suffix}`,
    registeredAt: clock.now(),
    lineage: {
      jobId: id,
      baseModel: order.baseModel,
      parent: order.parent,
      ...(order.rebuild ? { rebuilds: order.rebuild.of } : {}),
      method: order.method,
      trainingType: order.trainingType,
      hyperparameters: { ...order.hyperparameters, ...seen.hyperparameters },
      seed: seen.seed ?? order.seed,
      suffix: order.suffix,
      training: lineageOf(checked.training),
      validation: checked.validation && lineageOf(checked.validation),
      by: by.callerId,
      consentAt: consent.atMs,
    },
    training: {
      startedAt: seen.startedAt,
      finishedAt: seen.finishedAt ?? clock.now(),
      trainedTokens: seen.trainedTokens,
      metrics,
      resultFileId: resultsOf(job),
    },
    upstream: {
      model: seen.model,
      accountId: account.resourceId,
      account: account.account,
      region: account.region,
    },
    deployment: { kind: 'none' },
  }
}

const lineageOf = ({ fileId, contentHash, examples }: DatasetFacts): DatasetLineage => ({
  fileId,
  contentHash,
  examples,
})

const resultsOf = ({ results, resultFileId }: TuningJob) => (results === 'kept' ? resultFileId : undefined)
