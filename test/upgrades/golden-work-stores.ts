import { createLanes } from '../../src/batches/lanes'
import { createBatchStore } from '../../src/batches/batch-store'
import { createMeterRows } from '../../src/hosting/meter-rows'
import { createCertificateSigner } from '../../src/offboarding/certificate'
import { createOffboardings } from '../../src/offboarding/offboardings'
import { createReplicaStates } from '../../src/recovery/replica-state'
import { createOpenResponses } from '../../src/responses/open-responses'
import { createResponseStore } from '../../src/responses/response-store'
import { createConsents } from '../../src/shared-models/consents'
import { createPurposes, purposeId } from '../../src/shared-models/purpose'
import { everyRow, tenantsRows } from '../../src/storage/tenants-rows'
import { createTurnRows } from '../../src/tuning/turn-rows'
import {
  DAY_MS,
  accountId,
  address,
  scope,
  tenantId,
  writtenAt,
  type GoldenStore,
  type GoldenWorld,
} from './golden-world'

const responseId = 'resp_01kdvdna008z71thvsevzwqvay'
const jobId = 'ftjob-01kdvdna008z71thvsevzwqvay'
const batchId = 'batch_01kdvdna008z71thvsevzwqvay'
const modelId = 'mdl_01kdvdna008z71thvsevzwqvay'

const holder = {
  backendId: 'bke_1',
  endpoint: address,
  api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
  credential: { kind: 'identity' },
  deployment: 'mini-1',
  region: 'swedencentral',
} as const

const purpose = purposeId.parse('invoices')

const lanes = ({ own, clock }: GoldenWorld) =>
  createLanes({ rows: own('batchlanes'), bounds: { batchesMax: 1, perTenantMax: 1 }, now: clock.now })

const turns = ({ own, clock }: GoldenWorld) =>
  createTurnRows({ rows: own('tuningturns'), bounds: { jobsMax: 3, perTenantMax: 1 }, now: clock.now })

const batches = ({ rows, records }: GoldenWorld) => createBatchStore({ rows: rows('batches'), records })

const meters = ({ rows, storage }: GoldenWorld) => createMeterRows(rows('hosting'), everyRow(storage.table('hosting')))

const replicas = ({ own, rows, storage }: GoldenWorld) =>
  createReplicaStates({
    rows: rows('recovery'),
    platformRows: own('recovery'),
    everyRow: tenantsRows(storage.table('recovery')),
  })

const signer = ({ own, wrappingKey }: GoldenWorld) =>
  createCertificateSigner({ rows: own('signingkeys'), wrappingKey, newKeyId: () => 'key_golden' })

const purposes = ({ own, clock }: GoldenWorld) => createPurposes({ rows: own('sharedmodels'), clock })

const consents = (world: GoldenWorld) =>
  createConsents({
    records: world.records,
    purposes: purposes(world),
    files: { get: async () => undefined },
    rows: world.rows('sharedparts'),
    everyRow: tenantsRows(world.storage.table('sharedparts')),
    clock: world.clock,
  })

/** What tenants have done, and what is done to them. */
export const goldenWorkStores: readonly GoldenStore[] = [
  {
    tables: ['batches'],
    write: (world) =>
      batches(world).insert(
        scope,
        {
          id: batchId,
          createdAt: writtenAt,
          endpoint: '/v1/chat/completions',
          inputFileId: 'file-01kdvdna008z71thvsevzwqvay',
          hasMetadata: false,
          by: { callerId: 'key_1', aliases: ['chat'] },
          status: 'completed',
          since: { completed: writtenAt },
          counts: { total: 2, completed: 1, failed: 1 },
          faults: [],
          end: 'completed',
        },
        undefined,
      ),
    read: async (world) => [
      await batches(world).get(scope, batchId),
      await Array.fromAsync(batches(world).list(scope)),
    ],
  },
  {
    tables: ['batchlanes'],
    write: (world) =>
      lanes(world).take('bke_1', { batchId, tenantId, tokens: 100, weight: 1, againMs: writtenAt + DAY_MS }),
    read: (world) => lanes(world).census(tenantId),
  },
  {
    tables: ['responses'],
    write: ({ rows }) =>
      createResponseStore(rows('responses')).add(scope, {
        id: responseId,
        upstreamId: 'resp_of_the_account',
        holder,
        alias: 'chat',
        model: 'gpt-4.1-mini',
        by: 'key_1',
        meteredOn: tenantId,
        requestId: 'req_1',
        createdAt: writtenAt,
        expiresAt: writtenAt + DAY_MS,
        renames: [],
        status: 'completed',
        tokens: 30,
        estimate: { prompt: 10, total: 40 },
        itemIds: ['msg_1'],
        metering: undefined,
      }),
    read: async ({ rows }) => {
      const store = createResponseStore(rows('responses'))
      return [await store.get(scope, responseId), await store.item(scope, 'msg_1')]
    },
  },
  {
    tables: ['openresponses'],
    write: ({ own }) => createOpenResponses(own('openresponses')).add({ tenantId, id: responseId }),
    read: ({ own }) => createOpenResponses(own('openresponses')).after(undefined, 10),
  },
  {
    tables: ['tuningturns'],
    write: (world) =>
      turns(world).take(accountId, { jobId, tenantId, tokens: 1, weight: 1, againMs: writtenAt + DAY_MS }),
    read: async (world) => [await turns(world).busy(accountId), await turns(world).census(tenantId)],
  },
  {
    tables: ['sharedmodels', 'sharedparts'],
    write: async (world) => {
      const text = { title: 'Invoices', region: 'swedencentral', text: 'Your examples are used.' }
      await purposes(world).put(purpose, text)
      const asked = { kind: 'consent', purposeId: purpose, textVersion: 1, fileIds: [], terms: ['Sandpiper'] } as const
      await consents(world).add(scope, 'key_1', asked)
    },
    read: async (world) => [
      await purposes(world).list(),
      await Array.fromAsync(consents(world).everyCandidate(purpose)),
      await consents(world).current(scope, purpose),
    ],
  },
  {
    tables: ['hosting'],
    write: (world) =>
      meters(world).change(scope, modelId, () => ({
        modelId,
        sku: 'Standard',
        fromMs: writtenAt,
        bookedMs: writtenAt,
        sequence: 1,
        seenMs: writtenAt,
        lookAtMs: writtenAt + DAY_MS,
      })),
    read: async (world) => [await meters(world).get(scope, modelId), await Array.fromAsync(meters(world).every())],
  },
  {
    tables: ['offboardings'],
    write: ({ own }) =>
      createOffboardings(own('offboardings')).begin({
        tenantId,
        requestedBy: 'operator',
        frozenAt: writtenAt,
        removed: { keys: 2 },
        dataKeyVersions: [{ version: 1, wrappedBy: 'key-file/1' }],
      }),
    read: ({ own }) => createOffboardings(own('offboardings')).get(tenantId),
  },
  {
    tables: ['signingkeys'],
    write: (world) => signer(world).sign({ tenantId }),
    read: (world) => signer(world).publicKeys(),
  },
  {
    tables: ['recovery'],
    write: (world) => replicas(world).put(scope, { sinceMs: writtenAt, fullAtMs: writtenAt, records: 3 }, undefined),
    read: async (world) => [(await replicas(world).get(scope))?.state, await Array.fromAsync(replicas(world).every())],
  },
]
