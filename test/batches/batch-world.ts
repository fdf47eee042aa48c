import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Caller } from '../../src/access/caller'
import { createBackendCredentials } from '../../src/azure/backend-credentials'
import { createSmallHttp } from '../../src/azure/small-http'
import { createUpstreamHttp } from '../../src/azure/upstream-http'
import { systemChance } from '../../src/base/chance'
import { systemClock, type Clock } from '../../src/base/clock'
import { createIdMaker, type BackendId, type BatchId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { createAccountBatches } from '../../src/batches/account-batches'
import { batchChecklist } from '../../src/batches/batch-checklist'
import type { BatchDeps } from '../../src/batches/batch-deps'
import type { BatchOrder } from '../../src/batches/batch-input'
import { batchStorage, createBatchStore } from '../../src/batches/batch-store'
import { batchView } from '../../src/batches/batch-view'
import { createBatches } from '../../src/batches/batches'
import { createLanes, laneStorage } from '../../src/batches/lanes'
import { budgetStorage, budgetsIn } from '../../src/budgets/create-budget-keeper'
import { createStandingHolds } from '../../src/budgets/standing-holds'
import { runChecklist } from '../../src/checklists/run-checklist'
import { createRunStep, planOf, type StepReport, type StepRequest } from '../../src/checklists/run-step'
import { createSealer } from '../../src/encryption/create-sealer'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createSealedRecords } from '../../src/encryption/sealed-records'
import { createTenantKeys, dataKeyStorage } from '../../src/encryption/tenant-keys'
import { createAccountFiles } from '../../src/files/account-files'
import { createContents } from '../../src/files/contents'
import { createCopies } from '../../src/files/copies'
import { createFiles } from '../../src/files/create-files'
import { createDrafts } from '../../src/files/drafts'
import { createFileStore } from '../../src/files/file-store'
import { createShelves } from '../../src/files/shelves'
import { createWriteSlots } from '../../src/files/write-slots'
import { createLateUsage } from '../../src/metering/late-usage'
import { createPriceBook } from '../../src/metering/price-book'
import type { Backend } from '../../src/routing/backend'
import { createPlaces, placeStorage } from '../../src/storage/places'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import type { TenantSnapshot } from '../../src/tenants/snapshot'
import { usageStorage } from '../../src/usage/run-roll-up'
import { handRun } from '../checklists/hand-run'
import { largeParts } from '../files/large-parts'
import { freshStorage } from '../harness/storage'
import { KEY, type runningSimulator } from '../local/simulator/running'
import { linesOf, silentLog } from '../metering/read-all'

/** Deployments of the simulator; `night` serves batches. */
export const batchDeployments = {
  night: { model: 'gpt-4.1-mini-2025-04-14', admission: { kind: 'batch' as const } },
}
export const BACKEND: BackendId = 'bke_night'
export const POLL_MS = 60_000
/** Real time that passes in a wait: the simulator's goes on in it. */
const REAL_WAIT_MS = 15

type Fault = (operation: string) => void

/**
 * Tenants with batches, on Azurite and against the simulator, without a host: checklists are run by hand, and a wait of theirs
 * moves the clock on. `before` is called ahead of each step's activity, and may throw to kill the process there.
 */
export async function batchWorld(simulator: ReturnType<typeof runningSimulator>, more: Partial<BatchDeps> = {}) {
  const storage = freshStorage()
  for (const needs of [
    { tables: ['files'] },
    batchStorage,
    laneStorage,
    budgetStorage,
    dataKeyStorage,
    placeStorage,
    usageStorage,
  ])
    await storage.ensure(needs)
  let offsetMs = 0
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + offsetMs }
  const chance = systemChance()
  const ids = createIdMaker({ clock, chance })
  const log = silentLog
  const wrappingKey = keyFileWrappingKey(join(mkdtempSync(join(tmpdir(), 'tenantry-test-')), 'key.json'))
  const keyring = createTenantKeys({ table: tenantTable(storage.table('datakeys')), wrappingKey, clock, chance, log })
  const places = createPlaces({ storage, rows: tenantTable(storage.table('tenantplaces')), clock, log })
  const records = createSealedRecords({ data: places, sealer: createSealer({ keys: keyring, chance }) })

  const backends = new Map<BackendId, Backend>()
  const tenants = new Map<string, TenantSnapshot>()
  const credentials = createBackendCredentials({
    settings: { SIMULATOR: KEY },
    identity: { getToken: () => Promise.reject(new Error('there is no Entra here')) },
    secrets: { get: async () => undefined },
    clock,
  })
  const http = createSmallHttp()
  const upstream = createUpstreamHttp()
  const accountFiles = createAccountFiles({ upstream, http, credentials })
  const rows = tenantTable(storage.table('files'))
  const shelves = createShelves(rows)
  const contents = createContents(records)
  const fileStore = createFileStore(records)
  const large = largeParts({ rows, places, accounts: accountFiles, upstream, http, credentials, clock })
  const copies = createCopies({ rows, accounts: accountFiles, ...large, ids })
  const drafts = createDrafts({ shelves, contents, store: fileStore, slots: createWriteSlots(), ids, clock, log })
  const files = createFiles({ shelves, contents, store: fileStore, drafts, copies, clock })

  const store = createBatchStore({ rows: tenantTable(storage.table('batches')), records })
  const accounts = createAccountBatches({ http, credentials })
  const lateUsage = createLateUsage({ storage, clock })
  const budgets = budgetsIn(storage)
  const deps: BatchDeps = {
    store,
    files,
    accounts,
    outputs: accountFiles,
    lanes: createLanes({
      rows: platformTable(storage.table('batchlanes')),
      bounds: { batchesMax: 20, perTenantMax: 5 },
      now: clock.now,
    }),
    holds: createStandingHolds({ store: budgets, spentByLog: async () => ({ tokens: 0, microUsd: 0 }), clock }),
    budgetWarnings: { refused: () => {}, unpriced: () => {} },
    lateUsage,
    batchCostOf: createPriceBook().batchCostOf,
    backends: async () => backends,
    tenantOf: (tenantId) => tenants.get(tenantId),
    pollMs: POLL_MS,
    ids,
    chance,
    clock,
    log,
    ...more,
  }
  const begun: BatchId[] = []
  const batches = createBatches({
    store,
    files,
    accounts,
    begin: async (_, id) => void begun.push(id),
    ids,
    clock,
    log,
  })
  backends.set(BACKEND, {
    id: BACKEND,
    name: 'night',
    api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
    endpoint: simulator.url(''),
    deployment: 'night',
    credential: { kind: 'api-key', setting: 'SIMULATOR' },
    region: 'swedencentral',
    capacity: 'payg',
    enabled: true,
  })

  const addTenant = async (change: Partial<TenantSnapshot> = {}) => {
    const tenantId = ids.tenantId()
    const scope = TenantScope.ofPlatform(tenantId)
    await keyring.create(scope)
    tenants.set(tenantId, { ...snapshotOf(tenantId), ...change })
    return scope
  }
  /** From the checklist's begin, or its last crash, to its end. */
  const run = (scope: TenantScope, id: BatchId, before: Fault = () => {}, after: Fault = () => {}) => {
    const checklist = batchChecklist(deps)
    const runStep = createRunStep(checklist, { log, alert: async () => {} })
    return handRun((steps) => runChecklist(steps, planOf(checklist), { tenantId: scope.tenantId, input: {} }), {
      instanceId: id,
      activity: async (_, input): Promise<StepReport> => {
        const request = input as StepRequest
        before(request.step)
        const report = await runStep(
          { ...request, stepStartedAt: stepStarted(`${id}/${request.step}`) },
          { orchestrations: { purge: async () => {}, running: async () => [], ended: async () => [] } },
        )
        after(request.step)
        return report
      },
      sleep: async (ms) => {
        offsetMs += ms
        await systemClock.sleep(REAL_WAIT_MS)
      },
    })
  }
  const started = new Map<string, number>()
  const stepStarted = (key: string): number => {
    const at = started.get(key) ?? clock.now()
    started.set(key, at)
    return at
  }

  return {
    storage,
    clock,
    files,
    store,
    deps,
    batches,
    backends,
    tenants,
    budgets,
    begun,
    addTenant,
    run,
    pass: (ms: number) => void (offsetMs += ms),
    upload: async (scope: TenantScope, text: string) => {
      async function* content() {
        yield Buffer.from(text)
      }
      const made = await files.create(
        scope,
        { filename: 'in.jsonl', purpose: 'batch', createdBy: undefined },
        content(),
      )
      if (made instanceof Problem) throw new Error(made.public)
      return made.id
    },
    order: async (scope: TenantScope, order: Partial<BatchOrder>, caller: Partial<Caller> = {}) => {
      const made = await batches.create(scope, { ...callerOf(scope), ...caller }, { ...orderOf, ...order })
      if (made instanceof Problem) throw new Error(made.public)
      return made.record.id
    },
    shown: async (scope: TenantScope, id: BatchId) => {
      const found = await batches.get(scope, id)
      if (!found) throw new Error(`no ${id}`)
      return batchView(found.record, found.metadata)
    },
    textOf: async (scope: TenantScope, id: string | null) => {
      if (id === null) return undefined
      const file = await files.read(scope, id as `file-${string}`)
      return file && Buffer.concat(await Array.fromAsync(file.content)).toString()
    },
    logged: async () => (await linesOf(storage.container('usage-log'))).map(({ line }) => line),
    close: async () => {
      await Promise.all([lateUsage.close(), upstream.close(), http.close()])
    },
  }
}

export type BatchWorld = Awaited<ReturnType<typeof batchWorld>>

const orderOf: BatchOrder = {
  inputFileId: '',
  endpoint: '/v1/chat/completions',
  model: undefined,
  metadata: undefined,
  outputExpiresAfterSeconds: undefined,
}

const callerOf = ({ tenantId }: TenantScope): Caller => ({
  tenantId,
  callerId: 'key_1',
  principal: { kind: 'key', keyId: 'key_1' },
  role: undefined,
  scopes: ['inference'],
  aliases: undefined,
  limits: undefined,
})

const snapshotOf = (tenantId: TenantSnapshot['tenantId']): TenantSnapshot => ({
  tenantId,
  version: 1,
  state: 'active',
  displayName: 'A',
  tier: 'standard',
  limits: { requestsPerMinute: 1, tokensPerMinute: 1, concurrentCalls: 1 },
  weight: 1,
  residency: [],
  aliases: {
    batch: {
      name: 'batch',
      model: 'gpt-4.1-mini',
      capabilities: ['batch'],
      groups: [{ members: [{ backendId: BACKEND, weight: 1 }] }],
      outputTokensMax: 100,
      outputTokensField: 'max_tokens',
    },
  },
  settings: { hidePromptFilterChunk: false },
})

export const requestLine = (customId: string, content: string, body: object = {}) =>
  JSON.stringify({
    custom_id: customId,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'batch', messages: [{ role: 'user', content }], ...body },
  })
