import { alertStorage, createAlerts } from '../../src/alerts/alerts'
import { systemChance } from '../../src/base/chance'
import { parseBackendId, type DatasetId, type FileId, type ModelId, type TenantId } from '../../src/base/ids'
import { assembleDatasets } from '../../src/datasets/assemble-datasets'
import { Problem } from '../../src/base/problem'
import { createDriftStore } from '../../src/drift/drift-store'
import { createDriftTap, type DriftTapDeps } from '../../src/drift/drift-tap'
import type { EmbedTexts } from '../../src/drift/embed-texts'
import { makeBaseline } from '../../src/drift/make-baseline'
import { directionOf } from '../../src/drift/spherical-k-means'
import type { WatchTenantsDeps } from '../../src/drift/watch-tenants'
import type { Files } from '../../src/files/files'
import type { FileRecord } from '../../src/files/file-record'
import type { ServedCall } from '../../src/inference/served-call'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { compileSnapshot } from '../../src/tenants/compile-snapshot'
import type { DriftSettings } from '../../src/tenants/snapshot'
import { createTuningStore } from '../../src/tuning/tuning-store'
import { createTuningJobs } from '../../src/tuning/tuning-jobs'
import { silentLog } from '../metering/read-all'
import { registryWorld } from '../registry/registry-world'

const FLUSH_MS = 60_000
const MEASURE = '1'
const RELEASE = 'gpt-4.1-mini-2025-04-14'

/** Texts of the same first word lie in the same direction, as a model of embeddings would have it for one subject. */
export const embedFirstWord: EmbedTexts = async ({ texts }) => ({
  kind: 'embedded',
  directions: texts.map((text) => {
    const vector = Array.from({ length: 32 }, (_, at) => 0.01 * Math.sin(at + text.length))
    const place = (text.split(' ')[0] ?? '').charCodeAt(0) % 32
    vector[place] = 1
    return directionOf(vector) ?? new Float32Array(32)
  }),
  isNearLimit: false,
})

/** Tuned models and what is kept of their drift, on Azurite. Files and embeddings are the test's, the clock is moved by hand. */
export async function driftWorld({ embedTexts = embedFirstWord }: { embedTexts?: EmbedTexts } = {}) {
  const world = await registryWorld()
  const { storage, records, registry, tenants, clock, ids } = world
  await storage.ensure(alertStorage)
  const store = createDriftStore(records)
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const tuningStore = createTuningStore(records)
  const files = new Map<FileId, { record: FileRecord; content: Buffer }>()
  const settings = new Map<TenantId, DriftSettings>()
  const get = async (_: TenantScope, id: FileId) => files.get(id)?.record
  const tenantOf = async (tenantId: TenantId) => {
    const record = await tenants.get(TenantScope.ofPlatform(tenantId))
    const drift = settings.get(tenantId)
    if (!record) return undefined
    const snapshot = compileSnapshot({ ...record, state: 'active' })
    return { ...snapshot, settings: { ...snapshot.settings, ...(drift ? { drift } : {}) } }
  }
  const stored: Pick<Files, 'get' | 'read'> = {
    get,
    read: async (_, id) => {
      const file = files.get(id)
      return file && { record: file.record, content: inPieces(file.content) }
    },
  }
  const { datasets } = assembleDatasets({ records, files: stored, ids, clock })
  const deps: WatchTenantsDeps = {
    store,
    registry,
    alerts,
    files: stored,
    datasets,
    ids,
    tuningJobs: createTuningJobs({
      store: tuningStore,
      registry,
      files: stored,
      datasets,
      tenants,
      stages: {},
      begin: async () => {},
      ids,
      clock,
    }),
    embedTexts,
    languages: undefined,
    measure: MEASURE,
    tenantIds: async function* () {
      yield* settings.keys()
    },
    tenantOf,
    clock,
    chance: systemChance(),
    log: silentLog,
  }
  const tapDeps: Omit<DriftTapDeps, 'instanceId'> = { ...deps, registry, flushMs: FLUSH_MS }

  return {
    ...world,
    store,
    alerts,
    tuningStore,
    deps,
    settings,
    /** As another instance of the app has it. */
    newTap: (more: Partial<DriftTapDeps> = {}) => createDriftTap({ ...tapDeps, instanceId: ids.instanceId(), ...more }),
    addFile: (filename: string, content: Buffer): FileId => {
      const id = ids.fileId()
      const record: FileRecord = {
        id,
        filename,
        purpose: 'fine-tune',
        bytes: content.length,
        createdAt: clock.now(),
        expiresAt: undefined,
        createdBy: undefined,
      }
      files.set(id, { record, content })
      return id
    },
    /** One that its tenant has registered, validated. */
    addDataset: async (scope: TenantScope, fileId: FileId, hasConsent = true): Promise<DatasetId> => {
      const id = ids.datasetId()
      const asked = { id, fileId, baseModel: RELEASE, role: 'training', trainingType: 'standard', hasConsent } as const
      const made = await datasets.create(scope, ids.keyId(), asked)
      if (made instanceof Problem) throw new Error(made.public)
      await datasets.validate(scope, id)
      return id
    },
    datasets,
    /** A tenant with a deployed model that a job has trained on the file. */
    trained: async (drift: DriftSettings | undefined, trainingFileId: FileId, examples: number) => {
      const { scope } = await world.newTenant()
      const { id: modelId, jobId } = await world.newModel(scope)
      await registry.change(scope, modelId, (model) => ({
        ...model,
        lineage: { ...model.lineage, training: { ...model.lineage.training, fileId: trainingFileId, examples } },
      }))
      const order = { model: RELEASE, baseModel: RELEASE, trainingFileId, method: 'supervised' } as const
      const by = { callerId: ids.keyId() }
      await tuningStore.insert(scope, {
        id: jobId,
        createdAt: clock.now(),
        by,
        order: { ...order, hyperparameters: { n_epochs: 2 }, trainingType: 'standard' },
        wishes: { deploy: { sku: 'Standard', capacity: 50 } },
        consent: { by: by.callerId, atMs: clock.now() },
        status: 'succeeded',
        attempt: 0,
        asked: {},
        modelId,
      })
      if (drift) settings.set(scope.tenantId, drift)
      const backendId = parseBackendId(`bke_${modelId.slice('mdl_'.length)}`)
      if (!backendId) throw new Error('the body of an id makes an id')
      return { scope, modelId, jobId, backendId }
    },
    makeBaseline: (scope: TenantScope, modelId: ModelId, topicsAlias?: string) =>
      registry.get(scope, modelId).then(async (model) => {
        if (!model) throw new Error('there is no such model')
        const known = await store.baseline(scope, modelId)
        const baseline = await makeBaseline(deps, scope, { model, topicsAlias })
        return store.putBaseline(scope, modelId, { known, baseline })
      }),
    servedCall: async (
      scope: TenantScope,
      backendId: ServedCall['backend']['id'],
      text: string,
    ): Promise<ServedCall> => {
      const tenant = await tenantOf(scope.tenantId)
      if (!tenant) throw new Error('there is no such tenant')
      return {
        tenant,
        caller: {
          tenantId: scope.tenantId,
          callerId: ids.keyId(),
          principal: { kind: 'key', keyId: ids.keyId() },
          role: undefined,
          scopes: ['inference'],
          aliases: undefined,
          limits: undefined,
        },
        backend: { id: backendId, ownerTenantId: scope.tenantId },
        operation: 'chat.completions',
        body: { messages: [{ role: 'user', content: text }] },
        promptEstimate: 7 + Math.ceil(text.length / 4),
        outputTokens: 20,
      }
    },
  }
}

/** As storage hands it on: cut anywhere. */
async function* inPieces(content: Buffer) {
  for (let at = 0; at < content.length; at += 1_000) yield content.subarray(at, at + 1_000)
}

/** Examples, one a line. */
export const dataset = (count: number, question: (n: number) => string): Buffer =>
  Buffer.from(
    Array.from({ length: count }, (_, n) =>
      JSON.stringify({
        messages: [
          { role: 'user', content: question(n) },
          { role: 'assistant', content: `It is on its way to you, and arrives in ${n} days.` },
        ],
      }),
    ).join('\n'),
  )
