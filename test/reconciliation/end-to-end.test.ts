import { armToken } from '../../local/drill/arm-token'
import { createAlerts } from '../../src/alerts/alerts'
import { createArm } from '../../src/azure/arm-client'
import { createSmallHttp } from '../../src/azure/small-http'
import { systemClock, type Clock } from '../../src/base/clock'
import type { TenantId } from '../../src/base/ids'
import { purgeIds } from '../../src/housekeeping/purge'
import { assembleReconciliation } from '../../src/reconciliation/assemble-reconciliation'
import { addCounted, nothingCounted, type CountedUse } from '../../src/reconciliation/counted-use'
import { looks, type StoredRow } from '../../src/reconciliation/reconciliation-store'
import { createBackends } from '../../src/routing/backends'
import { createStamps } from '../../src/stamps/stamps'
import { connectStorage } from '../../src/storage/connect'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { createTenantsWithUsage } from '../../src/usage/tenants-with-usage'
import { createUsageReader } from '../../src/usage/usage-reader'
import { eventually } from '../conformance/eventually'
import { makeStamp } from '../harness/azure-resources'
import { chatBody, chatPath, post } from '../harness/call'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { testConnectionString } from '../harness/storage'
import { silentLog } from '../metering/read-all'

const HOUR_MS = 3_600_000
const CHAT = 'gpt-4.1-mini'
const EMBED = 'text-embedding-3-small'
const KEY = 'simulator-key'

let stack: TestStack
let tenant: TestTenant
let other: TestTenant
const http = createSmallHttp()
beforeAll(async () => {
  stack = await startTestStack()
  await makeStamp(stack)
  ;[tenant, other] = await Promise.all([stack.makeTenant(), stack.makeTenant()])
})
afterAll(async () => {
  await http.close()
  await stack.stop()
})

/** The app's own comparison, on the app's own rows, in a process in which it is later. */
function comparison(later: { readonly ms: number }) {
  const storage = connectStorage(
    { kind: 'connection-string', connectionString: testConnectionString() },
    stack.storagePrefix,
  )
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + later.ms }
  const reader = createUsageReader({ storage, clock })
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const reconciliation = assembleReconciliation({
    storage,
    arm: createArm({
      url: stack.simulatorUrl,
      audience: stack.simulatorUrl,
      identity: {
        getToken: async () => ({
          token: await armToken(stack.simulatorUrl),
          expiresOnTimestamp: Number.MAX_SAFE_INTEGER,
        }),
      },
      http,
    }),
    tenantsWithUsage: createTenantsWithUsage({ storage, clock }),
    readUsage: (scope, span) => reader.read(scope, span, 'hour'),
    backends: createBackends({ table: platformTable(storage.table('backends')), clock, log: silentLog }),
    stamps: createStamps(platformTable(storage.table('stamps'))),
    alerts,
    clock,
    log: silentLog,
  })
  return { ...reconciliation, storage, alerts, clock }
}

const call = ({ apiKey }: TestTenant, more: object = {}) =>
  post({ baseUrl: stack.baseUrl, apiKey }, chatPath, chatBody('Tell me a story of forty words.', more))
const embed = ({ apiKey }: TestTenant, input: string) =>
  post({ baseUrl: stack.baseUrl, apiKey }, '/openai/v1/embeddings', { model: 'embed', input })

/** Whoever has a key of the account, past the platform. */
const callPast = () =>
  fetch(`${stack.simulatorUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': KEY, 'content-type': 'application/json' },
    body: JSON.stringify({ ...chatBody('Hello'), model: CHAT }),
  }).then((answer) => answer.text())

/** Rolls up what the log has by now. */
const usageOf = ({ apiKey }: TestTenant) =>
  fetch(`${stack.baseUrl}/api/tenant/usage`, { headers: { 'api-key': apiKey } }).then((answer) => answer.text())

/** Of all hours, since calls may be made across their border. */
function totalsOf(rows: readonly StoredRow[], deployment: string) {
  const sum = (of: (row: StoredRow) => CountedUse) =>
    rows
      .filter((row) => row.deployment === deployment)
      .reduce((total, row) => addCounted(total, of(row)), nothingCounted)
  return { theirs: sum((row) => row.theirs), ours: sum((row) => row.ours.counted), drift: sum((row) => row.drift) }
}

const hourOf = (ms: number) => Math.floor(ms / HOUR_MS) * HOUR_MS

it('our figures are the provider’s to the token, and differ by what went past the platform or was lost from its log', async () => {
  const later = { ms: 2 * HOUR_MS }
  const { reconcile, store, alerts, storage, clock } = comparison(later)
  // The first run of all begins with the last hour that is due; here with the one in which the tenants came.
  for (const look of looks) await store.advance(look, hourOf(systemClock.now() - HOUR_MS))
  const rows = () =>
    store.page({ fromMs: 0, toMs: clock.now(), deployment: undefined, drifted: false, after: undefined, limit: 1_000 })

  const answers = await Promise.all([
    ...Array.from({ length: 6 }, () => call(tenant)),
    ...Array.from({ length: 4 }, () => call(other, { stream: true })),
    ...Array.from({ length: 5 }, (_, n) => embed(tenant, `A text, the ${n}th`)),
  ])
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  await Promise.all([usageOf(tenant), usageOf(other)])
  await reconcile()
  const [chat, vectors] = [totalsOf(await rows(), CHAT), totalsOf(await rows(), EMBED)]
  const served = (await stack.ledger()).filter(({ deployment, status }) => deployment === CHAT && status === 200)
  expect(chat.ours.requests).toBe(served.length)
  expect([chat.drift, vectors.drift]).toEqual([nothingCounted, nothingCounted])
  expect(chat.ours.outputTokens).toBeGreaterThan(0)

  await Promise.all(Array.from({ length: 5 }, callPast))
  await tenantTable(storage.table('usageminutes')).removeAll(TenantScope.ofPlatform(other.tenantId as TenantId))
  later.ms = 26 * HOUR_MS
  await reconcile()
  const lost = totalsOf(await rows(), CHAT)
  expect(lost.ours.requests).toBeLessThanOrEqual(chat.ours.requests - 4)
  expect(lost.theirs.requests).toBe(chat.theirs.requests + 5)
  expect(lost.drift.requests).toBe(lost.theirs.requests - lost.ours.requests)
  const alert = await alerts.get(`usage-drift/simulator/${CHAT}`)
  expect(alert).toMatchObject({ state: 'open', evidence: { deployment: CHAT, unexplained: lost.drift } })
})

it('operators see it, with what is kept how long, and the timers do their work on the host', async () => {
  const tomorrow = new Date(systemClock.now() + 24 * HOUR_MS).toISOString()
  const shown = await stack.platform.get<{ rows: { deployment: string; parts: { class: string }[] }[] }>(
    `/reconciliation?drifted=true&to=${tomorrow}`,
  )
  expect(shown.body.rows).toContainEqual(
    expect.objectContaining({ deployment: CHAT, parts: [expect.objectContaining({ class: 'unknown-here' })] }),
  )
  for (const timer of ['reconcile-usage', 'keep-house', 'watch-key-expiry', 'watch-rotation'])
    await fetch(`${stack.baseUrl}/admin/functions/${timer}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"input":""}',
    })
  interface Shown {
    readonly purges: readonly { readonly lastRun?: string }[]
    readonly rotation?: { readonly counts: readonly { readonly kind: string; readonly looked: number }[] }
  }
  const housekeeping = async () => (await stack.platform.get<Shown>('/housekeeping')).body
  const done = await eventually('every timer has run', async () => {
    const found = await housekeeping()
    const haveRun = found.purges.filter(({ lastRun }) => lastRun !== undefined)
    return haveRun.length === purgeIds.length && found.rotation ? found : undefined
  })
  expect(done.rotation?.counts).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: 'data-key', looked: 2 }),
      expect.objectContaining({ kind: 'backend-key', looked: 1 }),
    ]),
  )
  expect(stack.lines.filter((line) => line.includes('housekeeping failed'))).toEqual([])
})
