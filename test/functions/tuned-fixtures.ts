import { systemChance } from '../../src/base/chance'
import { createIdMaker, parseTenantId, type EvaluationId } from '../../src/base/ids'
import { modelIdOf, tunedModelName, type ModelVersion } from '../../src/registry/model-version'
import { TenantScope } from '../../src/storage/tenant-scope'
import type { TuningJob } from '../../src/tuning/tuning-job'
import type { ControlPlaneServer } from './control-plane-server'

/** What the provider calls a model, and the account that it lies at: nothing that a tenant is shown. */
export const UPSTREAM = 'gpt-4.1-mini-2025-04-14.ft-b044a9d3cf9c4228b5d393567f693b83'
export const UPSTREAM_ACCOUNT = 'upstream-account'

const RELEASE = 'gpt-4.1-mini-2025-04-14'
const accountId = `/subscriptions/0/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/${UPSTREAM_ACCOUNT}`

/** A tenant's scope, with the key that its models and jobs are sealed with. */
export async function sealingScope({ parts }: ControlPlaneServer, id: string): Promise<TenantScope> {
  const tenantId = parseTenantId(id)
  if (!tenantId) throw new Error(`${id} is no id of a tenant`)
  const scope = TenantScope.ofPlatform(tenantId)
  await parts.controlPlane.keyring.create(scope)
  return scope
}

/** A version that is deployed, unless told otherwise. */
export async function registerModel(
  { parts, clock }: ControlPlaneServer,
  scope: TenantScope,
  change: Partial<ModelVersion> = {},
): Promise<ModelVersion> {
  const { registry } = parts.controlPlane
  const ids = createIdMaker({ clock, chance: systemChance() })
  // Ids of one millisecond have no order.
  await clock.advance(1)
  const jobId = ids.tuningJobId()
  const id = modelIdOf(jobId)
  const atMs = clock.now()
  await registry.register(scope, {
    id,
    name: tunedModelName(id, { baseModel: RELEASE, suffix: undefined }),
    family: 'gpt-4.1-mini',
    registeredAt: atMs,
    lineage: {
      jobId,
      baseModel: RELEASE,
      method: 'supervised',
      trainingType: 'standard',
      hyperparameters: { n_epochs: 3 },
      training: { fileId: ids.fileId(), contentHash: 'sha256:00', examples: 10 },
      by: ids.keyId(),
      consentAt: atMs,
    },
    training: { finishedAt: atMs, metrics: { train_loss: 0.5 } },
    upstream: {
      model: UPSTREAM,
      accountId,
      account: {
        endpoint: `https://${UPSTREAM_ACCOUNT}.example`,
        api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
        credential: { kind: 'identity' },
      },
      region: 'swedencentral',
    },
    deployment: {
      kind: 'deployed',
      plan: { accountId, name: 'tuned', sku: 'Standard', capacity: 1, backendId: ids.backendId() },
      sinceMs: atMs,
    },
  })
  const model = await registry.change(scope, id, (kept) => ({ ...kept, ...change }))
  if (!model) throw new Error('the model is not there')
  return model
}

/** A job that waits for approval, unless told otherwise; no host works on it. */
export async function keepJob(
  { parts, clock }: ControlPlaneServer,
  scope: TenantScope,
  change: Partial<TuningJob> = {},
): Promise<TuningJob> {
  const ids = createIdMaker({ clock, chance: systemChance() })
  const callerId = ids.keyId()
  const job: TuningJob = {
    id: ids.tuningJobId(),
    createdAt: clock.now(),
    by: { callerId },
    order: {
      model: RELEASE,
      baseModel: RELEASE,
      trainingFileId: ids.fileId(),
      method: 'supervised',
      hyperparameters: {},
      trainingType: 'standard',
    },
    wishes: {},
    consent: { by: callerId, atMs: clock.now() },
    status: 'running',
    attempt: 0,
    asked: {},
    approval: 'asked',
    ...change,
  }
  await parts.tuningStore.insert(scope, job)
  return job
}

/** A version that is deployed, with an evaluation that is over and has answers kept. */
export async function evaluatedModel(server: ControlPlaneServer, scope: TenantScope) {
  const { id: modelId } = await registerModel(server, scope)
  const ids = createIdMaker({ clock: server.clock, chance: systemChance() })
  const evaluationId: EvaluationId = `evl_${modelId.slice('mdl_'.length)}`
  const store = server.parts.evaluationStore
  await store.change(scope, { modelId, id: evaluationId }, () => ({
    id: evaluationId,
    modelId,
    by: { callerId: ids.keyId() },
    wish: { fileId: ids.fileId() },
    beganAtMs: server.clock.now(),
    stage: { kind: 'completed', atMs: server.clock.now() },
    pagesDone: 1,
  }))
  await store.putAnswers(scope, evaluationId, [{ line: 1, wanted: 'yes', tuned: 'yes', base: 'no' }])
  return { modelId, evaluationId }
}
