import { createAlerts } from '../../src/alerts/alerts'
import { createArm } from '../../src/azure/arm-client'
import { createSmallHttp } from '../../src/azure/small-http'
import type { CountedUse } from '../../src/reconciliation/counted-use'
import { noUse, type OurUse } from '../../src/reconciliation/explain-drift'
import type { BackendUse } from '../../src/reconciliation/our-counts'
import { createReconcileUsage } from '../../src/reconciliation/reconcile-usage'
import { createReconciliationStore, reconciliationStorage } from '../../src/reconciliation/reconciliation-store'
import type { Backend } from '../../src/routing/backend'
import { platformTable } from '../../src/storage/platform-table'
import { fixedIdentity, serveJson, type JsonAnswer, type JsonRequest } from '../azure/json-server'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { silentLog } from '../metering/read-all'

export const HOUR_MS = 3_600_000
export const START_MS = Date.UTC(2026, 5, 1, 12)
export const GROUP = '/subscriptions/s/resourcegroups/g/providers/microsoft.cognitiveservices/accounts'

/** What one account answers of an hour, by deployment, or with which status it refuses. */
type Provider = { readonly [deployment: string]: CountedUse } | number

export const counted = (requests: number, promptTokens = requests * 100, outputTokens = requests * 50): CountedUse => ({
  requests,
  promptTokens,
  outputTokens,
})

export const backendIn = (n: number, account: string, deployment: string, more: Partial<Backend> = {}): Backend => ({
  id: `bke_${String(n).padStart(26, '0')}`,
  name: deployment,
  api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
  endpoint: `https://${account}.openai.azure.com`,
  deployment,
  credential: { kind: 'identity' },
  region: 'swedencentral',
  capacity: 'payg',
  enabled: true,
  resourceId: `${GROUP}/${account}/deployments/${deployment}`,
  ...more,
})

/** Real rows, real alerts and a real Resource Manager client; what the provider and the platform counted is the test's. */
export async function reconciliationWorld() {
  const storage = freshStorage()
  await storage.ensure({ tables: [...reconciliationStorage.tables, 'alerts'] })
  const clock = handClock(START_MS)
  const http = createSmallHttp()
  const provider = new Map<string, Provider>()
  const ours = new Map<number, readonly BackendUse[] | Error>()
  const backends: Backend[] = []
  const stampAccounts: string[] = []
  const server = await serveJson((request) => answerOf(provider, request))
  const store = createReconciliationStore(storage)
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const deps = {
    store,
    alerts,
    arm: createArm({ url: server.url, audience: 'https://management.azure.com', identity: fixedIdentity(), http }),
    backends: { list: async () => backends.map((backend) => ({ backend, version: 1 })) },
    stamps: {
      list: async () => [
        {
          version: 1,
          stamp: {
            id: 'stm_00000000000000000000000001' as const,
            name: 'a stamp',
            region: 'swedencentral',
            resourceGroupId: '/subscriptions/s/resourceGroups/g',
            modelAccountIds: stampAccounts,
            acceptsTenants: true,
            reservedFor: null,
          },
        },
      ],
    },
    ourCounts: async (hourMs: number) => {
      const counts = ours.get(hourMs) ?? []
      if (counts instanceof Error) throw counts
      return counts
    },
    clock,
    log: silentLog,
  }
  return {
    storage,
    clock,
    store,
    alerts,
    backends,
    stampAccounts,
    requests: server.requests,
    /** A process of its own, with what is stored as its only memory. */
    newTimer: () => createReconcileUsage(deps),
    rows: (more: { drifted?: boolean } = {}) =>
      store.page({
        fromMs: 0,
        toMs: clock.now() + HOUR_MS,
        deployment: undefined,
        drifted: more.drifted ?? false,
        after: undefined,
        limit: 1_000,
      }),
    alert: async (id: string) => (await alerts.get(id))?.state,
    /** What the platform counted at a backend, in an hour that begins so long after the start. */
    weCounted(hour: number, uses: readonly (readonly [Backend, CountedUse, Partial<OurUse>?])[] | Error): void {
      const entries =
        uses instanceof Error
          ? uses
          : uses.map(([backend, use, more]): BackendUse => ({
              backendId: backend.id,
              deployment: backend.deployment,
              use: { ...noUse, counted: use, ...more },
            }))
      ours.set(START_MS + hour * HOUR_MS, entries)
    },
    theyCounted(hour: number, account: string, counts: Provider): void {
      provider.set(`${account} ${START_MS + hour * HOUR_MS}`, counts)
    },
    /** Whatever is asked of the account, until `undefined` lets it answer again. */
    theyRefuse(account: string, status: number | undefined): void {
      if (status === undefined) provider.delete(account)
      else provider.set(account, status)
    },
    async close() {
      await http.close()
      await server.close()
    },
  }
}

export type ReconciliationWorld = Awaited<ReturnType<typeof reconciliationWorld>>

function answerOf(provider: ReadonlyMap<string, Provider>, { path, query }: JsonRequest): JsonAnswer {
  const account = /accounts\/([^/]+)/.exec(path)?.[1] ?? ''
  const endpoint = `https://${account}.cognitiveservices.azure.com/`
  if (!path.endsWith('/metrics')) return { status: 200, body: { id: path, name: account, properties: { endpoint } } }
  const hourMs = Date.parse(query.get('timespan')?.split('/')[0] ?? '')
  const counts = provider.get(account) ?? provider.get(`${account} ${hourMs}`) ?? {}
  if (typeof counts === 'number') return { status: counts, body: { error: { code: `Code${counts}`, message: 'no' } } }
  const value = (query.get('metricnames') ?? '').split(',').map((name) => ({
    name: { value: name },
    timeseries: Object.entries(counts)
      .map(([deployment, { requests, promptTokens, outputTokens }]) => ({
        metadatavalues: [
          { name: { value: 'modeldeploymentname' }, value: deployment },
          ...(name === 'AzureOpenAIRequests' ? [{ name: { value: 'statuscode' }, value: '200' }] : []),
        ],
        data: [
          {
            total: {
              AzureOpenAIRequests: requests,
              ProcessedPromptTokens: promptTokens,
              GeneratedTokens: outputTokens,
            }[name],
          },
        ],
      }))
      .filter(({ data }) => (data[0]?.total ?? 0) > 0),
  }))
  return { status: 200, body: { value } }
}
