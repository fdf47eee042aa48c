import { assertNever } from '../base/assert'
import type { EvaluationId } from '../base/ids'
import { Problem } from '../base/problem'
import type { ModelVersion } from '../registry/model-version'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import type { Contenders } from './ask-example'
import { aliasAlone, baseAliases, tunedBackends } from './base-alias'
import { chatAliasOf, noBase } from './begin-checks'
import { PAGE_EXAMPLES, pagesOf, type EvaluationRun, type SampleFacts } from './evaluation-run'
import type { EvaluationsDeps, Woken } from './evaluations'
import { EXAMPLES_USUAL } from './sample-examples'
import { takeSample } from './take-sample'

const REMOVED_AGAIN_MS = 5_000

/** Why a model cannot be evaluated; one that sleeps is woken. */
export function faultOf({ archivedAt, deployment }: ModelVersion): Problem | undefined {
  if (archivedAt !== undefined) return new Problem('conflict', 'The model is archived. Restore it first.')
  return deployment.kind === 'none' ? notDeployed : undefined
}

/** One that sleeps answers some minutes after it is asked to. */
export function awake(
  { wake }: EvaluationsDeps,
  scope: TenantScope,
  { model, by }: { model: ModelVersion; by: EvaluationId },
): Woken | Promise<Woken> {
  const { kind } = model.deployment
  switch (kind) {
    case 'deployed':
      return { kind: 'ready' }
    case 'asleep':
    case 'deploying':
      return wake(scope, model, by)
    case 'removing':
      return { kind: 'not-yet', againAfterMs: REMOVED_AGAIN_MS }
    case 'none':
      return { kind: 'failed', problem: notDeployed }
    default:
      return assertNever(kind)
  }
}

/** Reads the file once and keeps what is asked, so that it may be deleted meanwhile and is not read again after each wait. */
export async function sampled(
  { files, store }: EvaluationsDeps,
  scope: TenantScope,
  { id, modelId, wish }: EvaluationRun,
): Promise<SampleFacts | Problem> {
  const file = await files.read(scope, wish.fileId)
  if (!file) return new Problem('conflict', 'The file to evaluate with was deleted. Upload it again, then ask again.')
  const taken = await takeSample(file.content, wish.sampleMax ?? EXAMPLES_USUAL)
  const { examples, eligible, passedOver, datasetHash } = taken
  if (examples.length === 0) return nothingToAsk(passedOver)
  const sample: SampleFacts = { datasetHash, examples: examples.length, eligible, passedOver }
  for (let page = 0; page < pagesOf(sample); page++)
    await store.putExamples(scope, id, page, examples.slice(page * PAGE_EXAMPLES, (page + 1) * PAGE_EXAMPLES))
  const kept = await store.change(scope, { modelId, id }, (run) => (!run || run.sample ? run : { ...run, sample }))
  return kept?.sample ?? new Problem('not_found', 'The evaluation was removed.')
}

const nothingToAsk = (passedOver: number) =>
  new Problem(
    'conflict',
    `None of the file’s ${passedOver} lines is a conversation that ends with an assistant’s text, so there is nothing to compare answers with. Evaluate with another file.`,
  )

export async function chooseContenders(
  { store, registry, backends }: EvaluationsDeps,
  scope: TenantScope,
  { run, model, tenant }: { run: EvaluationRun; model: ModelVersion; tenant: TenantSnapshot },
): Promise<Contenders | Problem | 'not-known-yet'> {
  const tuned = chatAliasOf(tenant, model.name)
  if (!tuned) return 'not-known-yet'
  const { baseModel } = model.lineage
  const bases = baseAliases(tenant, baseModel, await tunedBackends(registry.list(scope), await backends()))
  const base = run.baseAlias === undefined ? bases[0] : bases.find(({ name }) => name === run.baseAlias)
  if (!base) return noBase(baseModel)
  if (run.baseAlias === undefined)
    await store.change(scope, run, (before) => before && { ...before, baseAlias: base.name })
  const { grader } = run.wish
  const graderAlias = grader && chatAliasOf(tenant, grader.alias)
  if (grader && !graderAlias) return new Problem('conflict', `There is no alias "${grader.alias}" to grade any more.`)
  return {
    tuned: aliasAlone(tuned),
    base,
    ...(grader && graderAlias ? { grader: { alias: aliasAlone(graderAlias), prompt: grader.prompt } } : {}),
  }
}

export const noModel = new Problem('not_found', 'There is no such model.')
const notDeployed = new Problem('conflict', 'The model is not deployed. Deploy it first.')
