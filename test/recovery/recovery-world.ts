import { createAlerts } from '../../src/alerts/alerts'
import { createAuditLog } from '../../src/audit/create-audit-log'
import type { TenantId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { createSealer } from '../../src/encryption/create-sealer'
import { createSealedRecords } from '../../src/encryption/sealed-records'
import { createContents } from '../../src/files/contents'
import { createFileStore } from '../../src/files/file-store'
import { createSweep, sweepAlso } from '../../src/offboarding/sweep'
import { assembleRecovery } from '../../src/recovery/assemble-recovery'
import { createReplica } from '../../src/recovery/replica'
import { replicaStore } from '../../src/recovery/replica-store'
import { withReplicaShredded } from '../../src/recovery/shredding-keyring'
import { createRegistry } from '../../src/registry/registry'
import { allStorageNeeds } from '../../src/storage-needs'
import { connectStorage } from '../../src/storage/connect'
import { ABOVE_EVERY_ROW_KEY } from '../../src/storage/place-contents'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import type { TenantInput } from '../../src/tenants/tenant-input'
import { createTuningStore } from '../../src/tuning/tuning-store'
import type { TuningJob } from '../../src/tuning/tuning-job'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { tenantInput } from '../harness/tenant-input'
import { lifecycleParts } from '../offboarding/lifecycle-parts'

export const HOUR_MS = 3_600_000
export const KEPT_MS = 72 * HOUR_MS
export const LAG_MS = HOUR_MS
export const PAIRED = 'norwayeast'

/** Tenants with jobs and files on one account of Azurite, and their replicas on the other; the clock is moved by hand. */
export async function recoveryWorld() {
  const storage = freshStorage()
  // Storage takes no signatures of a time long past.
  const clock = handClock(Date.now())
  await storage.ensure(allStorageNeeds)
  const pairedText = process.env['TEST_TENANT_STORAGE'] ?? ''
  const account = connectStorage({ kind: 'connection-string', connectionString: pairedText }, storage.prefix)
  const parts = lifecycleParts(storage, clock)
  const { keyring, places, tenants, ids, chance, log } = parts
  const replica = createReplica({ account, region: PAIRED })
  const records = createSealedRecords({ data: places, sealer: createSealer({ keys: keyring, chance }) })
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const everyone: TenantId[] = []
  const audit = createAuditLog({
    tenantRows: tenantTable(storage.table('audit')),
    platformRows: platformTable(storage.table('audit')),
    clock,
    chance,
  })
  const recovery = assembleRecovery({
    storage,
    replica,
    bounds: { goneKeptMs: KEPT_MS, lagMsMax: LAG_MS },
    places,
    records,
    registry: createRegistry(records),
    tenants,
    alerts,
    audit,
    tenantIds: async function* () {
      yield* everyone.toSorted()
    },
    files: { get: async () => undefined },
    stamps: { list: async () => [] },
    deployments: { ensure: none, remove: none },
    tuningJobs: { create: none, get: none, cancel: none },
    arm: { get: none, put: none, remove: none, post: none, principalId: none },
    pollMs: 1_000,
    clock,
    log,
  })
  const files = createFileStore(records)
  const contents = createContents(records)
  const jobs = createTuningStore(records)

  return {
    ...parts,
    keyring: { ...keyring, ...withReplicaShredded(keyring, replica) },
    stores: [replicaStore(replica), ...parts.stores.data, parts.stores.dataKey],
    sweep: sweepAlso(createSweep(storage), createSweep(account)),
    storage,
    account,
    replica,
    records,
    files,
    contents,
    jobs,
    clock,
    alerts,
    recovery,
    everyone,
    newTenant: async (more: Partial<TenantInput> = {}) => {
      const scope = TenantScope.ofPlatform(ids.tenantId())
      await keyring.create(scope)
      const made = await tenants.register(scope.tenantId, tenantInput({ tier: 'standard', ...more }))
      if (made instanceof Problem) throw new Error(made.public)
      const active = await tenants.transition(scope, 'activate')
      if (active instanceof Problem) throw new Error(active.public)
      if (more.isolation?.data === 'container') {
        const place = { kind: 'container' as const, suffix: scope.tenantId.slice('ten_'.length) }
        await places.prepare(scope, place)
        await places.set(scope, place)
      }
      everyone.push(scope.tenantId)
      return scope
    },
    /** A file of the tenant's, as uploads make it. */
    keepFile: async (scope: TenantScope, text: string) => {
      const id = ids.fileId()
      const pieceId = id.slice('file-'.length)
      const written = await contents.write(scope, pieceId, oneChunk(text), Buffer.byteLength(text))
      if (written.kind !== 'written') throw new Error('the text is too large')
      const facts = { filename: 'train.jsonl', purpose: 'fine-tune' as const, bytes: written.bytes }
      const when = { createdAt: clock.now(), expiresAt: undefined, createdBy: undefined }
      await files.insert(scope, { id, ...facts, ...when, pieces: [written.piece] })
      return id
    },
    /** A job that refers to the file; no host works on it. */
    keepJob: async (scope: TenantScope, trainingFileId: TuningJob['order']['trainingFileId']) => {
      const job: TuningJob = {
        id: ids.tuningJobId(),
        createdAt: clock.now(),
        by: { callerId: ids.keyId() },
        order: {
          model: 'gpt-4.1-mini-2025-04-14',
          baseModel: 'gpt-4.1-mini-2025-04-14',
          trainingFileId,
          method: 'supervised',
          hyperparameters: { n_epochs: 3 },
          seed: 7,
          trainingType: 'standard',
        },
        wishes: {},
        consent: { by: ids.keyId(), atMs: clock.now() },
        status: 'queued',
        attempt: 0,
        asked: {},
      }
      await jobs.insert(scope, job)
      return job
    },
    readFile: async (scope: TenantScope, id: TuningJob['order']['trainingFileId']) => {
      const file = await files.get(scope, id)
      const read: Buffer[] = []
      for await (const bytes of contents.read(scope, file?.pieces ?? [])) read.push(bytes)
      return file && Buffer.concat(read).toString()
    },
    /** What the first region has of the tenant's sealed records and keys is gone, as after a disaster. */
    loseEverything: async (scope: TenantScope) => {
      await places.empty(scope, await places.get(scope))
      await tenantTable(storage.table('datakeys')).removeAll(scope)
      // Longer than an instance remembers a key.
      await clock.advance(HOUR_MS)
    },
    /** By their keys, as they lie there. */
    replicaRows: async (scope: TenantScope, place: 'logical' | 'container' = 'logical') => {
      const { rows } = await replica.content(scope, place)
      const found = new Map<string, Record<string, unknown>>()
      for await (const { rowKey, columns, etag } of rows.range('', ABOVE_EVERY_ROW_KEY))
        found.set(rowKey, { ...columns, etag })
      return found
    },
    /** Every step until it is done; what its steps said. */
    restore: async (scope: TenantScope, input: { lostSince?: number } = {}) => {
      const operationId = ids.operationId('rst')
      const facts: Record<string, string> = {}
      for (const step of recovery.restore.steps)
        for (let goes = 0; goes < 10; goes++) {
          const operation = { operationId, tenantId: scope.tenantId, input, stepStartedAt: clock.now() }
          const outcome = await step.do(operation, { orchestrations: noOrchestrations })
          if (outcome.kind === 'failed') return outcome.problem
          if (outcome.kind !== 'done') continue
          Object.assign(facts, outcome.facts)
          break
        }
      return facts
    },
  }
}

const none = () => {
  throw new Error('no other operation is under way here')
}
const noOrchestrations = { purge: none, running: none, ended: none }

async function* oneChunk(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}
