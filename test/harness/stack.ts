import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platformClient, type OnboardedTenant, type PlatformClient } from '../../local/platform-client'
import { azureSettings, SIMULATOR_KEY, startStack, type Stack } from '../../local/stack'
import { appSettings } from './app-settings'
import { freePort } from './free-port'
import { testConnectionString } from './storage'

/** The built app on the real local host with the real simulator, in processes of their own, on the run's Azurite. */
export interface TestStack extends Stack {
  readonly simulatorUrl: string
  readonly storagePrefix: string
  readonly platform: PlatformClient
  /** Lines that host and simulator have printed so far. */
  readonly lines: readonly string[]
  /** A backend on a deployment of the simulator; its id. */
  makeBackend(deployment: string, more?: object): Promise<string>
  makeTenant(more?: TenantOptions): Promise<TestTenant>
  configureSimulator(patch: object): Promise<void>
  /** The host dies by SIGKILL at the given moment, once. */
  killAt(moment: { function: string; inputHolds: string; when: 'before' | 'after' }): Promise<void>
  /** Resolves when another host process than that of `pid` answers. */
  restarted(pid: number | undefined): Promise<void>
  /** What the simulator has served, oldest first. */
  ledger(): Promise<LedgerEntry[]>
  /** A second host process on the same storage and secrets: another instance of the app. */
  startInstance(): Promise<{ baseUrl: string; stop(): Promise<void>; hostPid(): number | undefined }>
}

export interface TenantOptions {
  readonly displayName?: string
  readonly tier?: 'free' | 'standard' | 'premium'
  readonly limitOverrides?: { requestsPerMinute?: number; tokensPerMinute?: number; concurrentCalls?: number }
  readonly budgetOverrides?: object
  readonly aliases?: readonly object[]
  readonly settings?: object
  readonly residency?: readonly string[]
  readonly directory?: { directoryId: string; ownerObjectId?: string }
  readonly isolation?: { models: string; data: string }
}

export type TestTenant = OnboardedTenant

export interface LedgerEntry {
  readonly n: number
  readonly work: 'call' | 'background' | 'batch-line'
  /** When the call arrived, Unix milliseconds. */
  readonly at: number
  readonly operation: string | null
  readonly account: string
  readonly credentialKind: string
  readonly deployment: string
  readonly clientRequestId: string | null
  readonly status: number
  readonly outcome: 'completed' | 'client-gone' | 'faulted' | 'rejected'
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  readonly reasoningTokens: number
  readonly images: number
  readonly audioSeconds: number
  readonly fault: string | null
}

const DIST = join(process.cwd(), 'dist', 'local')
const LEDGER_PAGE = 1_000

/** `appFolder` is another one where not the app of this working folder is to be tested (scripts/test-package.js). */
export async function startTestStack(
  settings: Readonly<Record<string, string>> = {},
  appFolder = process.env['TENANTRY_TEST_APP'],
  firstHostOptions: string[] = [],
): Promise<TestStack> {
  const stateFolder = mkdtempSync(join(tmpdir(), 'tenantry-test-'))
  const storagePrefix = `s${randomBytes(6).toString('hex')}`
  const lines: string[] = []
  const start = (
    port: number,
    ownSimulatorPort: number | undefined,
    hostOptions: string[] = [],
    env: Readonly<Record<string, string>> = {},
  ) =>
    startStack({
      port,
      simulator: ownSimulatorPort === undefined ? undefined : { port: ownSimulatorPort },
      storage: { kind: 'connection-string', connectionString: testConnectionString() },
      stateFolder,
      distFolder: DIST,
      ...(appFolder === undefined ? {} : { appFolder }),
      hostOptions,
      env: {
        TENANTRY_STORAGE_PREFIX: storagePrefix,
        AZURE_OPENAI_API_KEY: SIMULATOR_KEY,
        ...(appFolder === undefined ? {} : appSettings(appFolder)),
        ...env,
        ...settings,
        // Stacks of one test run share a storage account; two hosts on one task hub would take it from each other.
        AzureFunctionsJobHost__extensions__durableTask__hubName: storagePrefix,
      },
      onLine: (line) => void lines.push(line),
    }).catch((error: unknown) => {
      throw new Error(`the stack did not start; it printed:\n${lines.join('\n')}`, { cause: error })
    })

  const simulatorPort = await freePort()
  const stack = await start(await freePort(), simulatorPort, firstHostOptions)
  const simulatorUrl = stack.simulatorUrl ?? ''
  const platform = platformClient(stack.baseUrl, stack.operatorToken)
  const instances: Stack[] = []

  const makeBackend = async (deployment: string, more: object = {}) => {
    const backend = await platform.post<{ id: string }>('/backends', {
      name: `${deployment}-${randomBytes(4).toString('hex')}`,
      api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
      endpoint: simulatorUrl,
      deployment,
      credential: { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' },
      region: 'swedencentral',
      ...more,
    })
    return backend.id
  }
  await changeSimulator(simulatorUrl, 'PATCH', '/simulator/config', FAST)
  const [chat, embed] = await Promise.all([makeBackend('gpt-4.1-mini'), makeBackend('text-embedding-3-small')])

  return {
    ...stack,
    simulatorUrl,
    storagePrefix,
    platform,
    lines,
    makeBackend,
    makeTenant: async ({ aliases, residency, ...more } = {}) => {
      const tenant = await platform.onboard({
        displayName: 'Test tenant',
        contact: { email: 'admin@test.example' },
        tier: 'premium',
        region: 'swedencentral',
        aliases: [chatAlias('chat', [[chat]]), embedAlias('embed', [[embed]])],
        ...more,
      })
      // Onboarding would not let a tenant in whose aliases do not work, and tests want such ones too.
      const later = { ...(aliases ? { aliases } : {}), ...(residency ? { residency } : {}) }
      if (Object.keys(later).length > 0) await platform.patch(`/tenants/${tenant.tenantId}`, later)
      return tenant
    },
    configureSimulator: (patch) => changeSimulator(simulatorUrl, 'PATCH', '/simulator/config', patch),
    killAt: (moment) => changeSimulator(stack.baseUrl, 'POST', '/admin/host/kill-switch', moment),
    restarted: (pid) => restarted(stack, pid),
    ledger: () => readLedger(simulatorUrl),
    startInstance: async () => {
      const instance = await start(await freePort(), undefined, ['--no-triggers'], azureSettings(simulatorPort))
      instances.push(instance)
      return instance
    },
    stop: async () => {
      await Promise.all(instances.map((instance) => instance.stop()))
      await stack.stop()
      rmSync(stateFolder, { recursive: true, force: true })
    },
  }
}

/** Answers at once, so that tests take no longer than they must. */
const FAST = {
  deployments: Object.fromEntries(
    ['gpt-4.1-mini', 'gpt-4.1', 'gpt-4.1-ptu', 'gpt-5-mini', 'text-embedding-3-small'].map((name) => [
      name,
      { latency: { firstTokenMs: 0, tokensPerSecond: 0, jitter: 0 } },
    ]),
  ),
}

export function chatAlias(name: string, groups: readonly (readonly string[])[], more: object = {}): object {
  return {
    name,
    model: 'gpt-4.1-mini',
    capabilities: ['chat'],
    groups: groups.map((ids) => ({ members: ids.map((backendId) => ({ backendId })) })),
    outputTokensMax: 1_000,
    ...more,
  }
}

export function embedAlias(name: string, groups: readonly (readonly string[])[]): object {
  return {
    name,
    model: 'text-embedding-3-small',
    capabilities: ['embeddings'],
    groups: groups.map((ids) => ({ members: ids.map((backendId) => ({ backendId })) })),
  }
}

async function changeSimulator(url: string, method: string, path: string, body: object): Promise<void> {
  const answer = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`)
  await answer.arrayBuffer()
}

const RESTART_MS_MAX = 120_000

async function restarted(stack: Stack, pid: number | undefined): Promise<void> {
  const deadline = Date.now() + RESTART_MS_MAX
  while (stack.hostPid() === pid || stack.hostPid() === undefined || !(await isHealthy(stack))) {
    if (Date.now() > deadline) throw new Error(`no other host answered within ${RESTART_MS_MAX / 1_000} s`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const isHealthy = ({ baseUrl }: Stack) =>
  fetch(`${baseUrl}/api/health`).then(
    ({ status }) => status === 200,
    () => false,
  )

async function readLedger(url: string): Promise<LedgerEntry[]> {
  const all: LedgerEntry[] = []
  for (;;) {
    const since = all.at(-1)?.n ?? 0
    const answer = await fetch(`${url}/simulator/ledger?since=${since}&limit=${LEDGER_PAGE}`)
    const { records } = (await answer.json()) as { records: LedgerEntry[] }
    all.push(...records)
    if (records.length < LEDGER_PAGE) return all
  }
}
