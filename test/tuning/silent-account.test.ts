import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alertStorage, createAlerts } from '../../src/alerts/alerts'
import { createBackendCredentials } from '../../src/azure/backend-credentials'
import { createSmallHttp } from '../../src/azure/small-http'
import { createUpstreamHttp } from '../../src/azure/upstream-http'
import { budgetsIn, budgetStorage } from '../../src/budgets/create-budget-keeper'
import { createStandingHolds } from '../../src/budgets/standing-holds'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createWrappedSecrets, secretStorage } from '../../src/encryption/wrapped-secrets'
import { createAccountFiles } from '../../src/files/account-files'
import { platformTable } from '../../src/storage/platform-table'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { createAccountTuning } from '../../src/tuning/account-tuning'
import { clearStep } from '../../src/tuning/steps/clear-step'
import { createStep } from '../../src/tuning/steps/create-step'
import { followStep } from '../../src/tuning/steps/follow-step'
import { takeBackStep } from '../../src/tuning/steps/take-back-step'
import { createTurnRows, turnStorage } from '../../src/tuning/turn-rows'
import type { TuningDeps, TuningStep } from '../../src/tuning/tuning-deps'
import { createTuningEvents } from '../../src/tuning/tuning-events'
import type { TuningJob } from '../../src/tuning/tuning-job'
import { createTuningStore } from '../../src/tuning/tuning-store'
import { silentLog } from '../metering/read-all'
import { registryWorld } from '../registry/registry-world'

const DAY_MS = 24 * 3_600_000
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:1'

type World = Awaited<ReturnType<typeof silentWorld>>
let world: World
beforeAll(async () => {
  world = await silentWorld()
})
afterAll(() => world.close())

/** Jobs at an account that answers nothing; the clock is moved by hand. */
async function silentWorld() {
  const { storage, records, registry, promotions, tenants, ids, clock, ...made } = await registryWorld()
  for (const needs of [turnStorage, budgetStorage, alertStorage, secretStorage]) await storage.ensure(needs)
  const wrappingKey = keyFileWrappingKey(join(mkdtempSync(join(tmpdir(), 'tenantry-test-')), 'key.json'))
  const http = createSmallHttp()
  const upstream = createUpstreamHttp(clock)
  const credentials = createBackendCredentials({
    settings: { KEY: 'a-key' },
    identity: { getToken: () => Promise.reject(new Error('there is no Azure here')) },
    secrets: createWrappedSecrets(tenantTable(storage.table('secrets')), wrappingKey, clock),
    clock,
  })
  const store = createTuningStore(records)
  const events = createTuningEvents(records)
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  // What these steps take of it; nothing is deployed, and no file is at the account but results.
  const deps = {
    store,
    events,
    registry,
    promotions,
    alerts,
    accounts: createAccountTuning({ http, credentials }),
    outputs: createAccountFiles({ upstream, http, credentials }),
    files: { unstage: async () => ({ kind: 'gone' }) },
    turns: createTurnRows({
      rows: platformTable(storage.table('tuningturns')),
      bounds: { jobsMax: 3, perTenantMax: 2 },
      now: clock.now,
    }),
    holds: createStandingHolds({
      store: budgetsIn(storage),
      spentByLog: async () => ({ tokens: 0, microUsd: 0 }),
      clock,
    }),
    deployments: { remove: async () => ({ kind: 'removed' }) },
    stages: {},
    tenantOf: () => undefined,
    pollMs: 60_000,
    clock,
    log: silentLog,
  } as unknown as TuningDeps

  return {
    deps,
    store,
    events,
    alerts,
    clock,
    /** A job whose training was asked for there. */
    newJob: async (more: Partial<TuningJob> = {}) => {
      const { scope } = await made.newTenant()
      const callerId = ids.keyId()
      const fileId = ids.fileId()
      const id = ids.tuningJobId()
      await store.insert(scope, {
        id,
        createdAt: clock.now(),
        by: { callerId },
        order: {
          model: 'gpt-4.1-mini-2025-04-14',
          baseModel: 'gpt-4.1-mini-2025-04-14',
          trainingFileId: fileId,
          method: 'supervised',
          hyperparameters: {},
          trainingType: 'standard',
        },
        wishes: {},
        consent: { by: callerId, atMs: clock.now() },
        status: 'queued',
        attempt: 0,
        asked: {},
        checked: {
          training: { fileId, contentHash: 'sha256:00', examples: 10, tokens: 100, faults: { errors: 0, warnings: 0 } },
          epochs: 1,
          estimate: { tokens: 100, microUsd: 100 },
        },
        account: {
          resourceId: '/subscriptions/0/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/silent',
          region: 'swedencentral',
          account: {
            endpoint: NOWHERE,
            api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
            credential: { kind: 'api-key', setting: 'KEY' },
          },
        },
        sending: { trainingFileId: 'file-there', askedAt: clock.now(), jobId: 'ftjob-there' },
        ...more,
      })
      return { scope, id, stepStartedAt: clock.now() }
    },
    /** The tenants of a test have none of another's. */
    alertsOf: async ({ tenantId }: TenantScope) =>
      (await alerts.page({ after: undefined, limit: 100 })).filter((alert) => alert.tenantId === tenantId),
    close: async () => {
      await Promise.all([http.close(), upstream.close()])
    },
  }
}

type Job = Awaited<ReturnType<World['newJob']>>
const run = (step: TuningStep, { scope, id, stepStartedAt }: Job) =>
  step.do({ operationId: id, tenantId: scope.tenantId, input: {}, stepStartedAt }, { orchestrations: noHost })
const noHost = { purge: async () => {}, running: async () => [], ended: async () => [] }

describe('a model account that does not answer', () => {
  it.each([
    ['that trains', followStep, {}],
    [
      'that may have been heard',
      createStep,
      { sending: { trainingFileId: 'file-there', askedAt: Date.UTC(2026, 0, 1) } },
    ],
  ])('fails a job %s after three days, and says what to do; a shorter outage is sat out', async (_, step, more) => {
    const askedAt = world.clock.now()
    const job = await world.newJob('sending' in more ? { sending: { ...more.sending, askedAt } } : more)
    expect(await run(step(world.deps), job)).toMatchObject({ kind: 'not-yet' })
    await world.clock.advance(3 * DAY_MS)
    expect(await run(step(world.deps), job)).toMatchObject({ kind: 'not-yet' })
    const silence = { level: 'warn', message: expect.stringContaining('does not answer at the moment') }
    expect(await world.events.list(job.scope, job.id)).toMatchObject([silence])
    expect((await world.store.get(job.scope, job.id))?.end).toBeUndefined()

    await world.clock.advance(1)
    expect(await run(step(world.deps), job)).toEqual({ kind: 'done' })
    expect(await world.store.get(job.scope, job.id)).toMatchObject({
      end: 'failed',
      fault: { code: 'account_unreachable', next: expect.stringContaining('Retry the job') },
    })
  })

  it('counts from when it answered last, not from when the training began', async () => {
    const seen = { status: 'running', shownAt: world.clock.now() + 2 * DAY_MS, resultFileIds: [] } as const
    const job = await world.newJob({ seen })
    await world.clock.advance(4 * DAY_MS)
    expect(await run(followStep(world.deps), job)).toMatchObject({ kind: 'not-yet' })
  })

  it.each([
    ['a training that was called off', takeBackStep, { end: 'cancelled' }, ['training', 'model']],
    ['results', clearStep, {}, ['files']],
  ] as const)(
    'does not keep a job from ending for ever: an operator is told that %s may be left there',
    async (_, step, more, left) => {
      const seen = { status: 'running', model: 'a-model', resultFileIds: ['file-results'] } as const
      const job = await world.newJob({ ...more, seen })
      await world.clock.advance(3 * DAY_MS)
      expect(await run(step(world.deps), job)).toMatchObject({ kind: 'not-yet' })
      expect(await world.alertsOf(job.scope)).toEqual([])

      await world.clock.advance(1)
      expect(await run(step(world.deps), job)).toEqual({ kind: 'done' })
      expect((await world.alertsOf(job.scope)).map(({ id }) => id).toSorted()).toEqual(
        left.map((what) => `tuning-left/${job.id}/${what}`).toSorted(),
      )
      expect((await world.alertsOf(job.scope))[0]?.audience).toBeUndefined()
    },
  )
})
