/** The processes that a benchmark runs against, and how each is called. All are of this machine and end with it. */
import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack, SIMULATOR_KEY, type Stack } from '../local/stack'
import { platformClient, type PlatformClient } from '../local/platform-client'
import startAzurite from '../test/harness/start-azurite'
import stopAzurite from '../test/harness/stop-azurite'
import type { Shot } from './load'

export const PORTS = {
  simulator: 17_272,
  app: 17_271,
  serve: 17_273,
  proxy: 17_274,
  portkey: 17_275,
}
export const DEPLOYMENT = 'bench'
const MESSAGES = [
  { role: 'system', content: 'You answer briefly.' },
  { role: 'user', content: 'What is the capital of France? Name its river too.' },
]

export interface Way {
  readonly name: string
  readonly shot: (stream: boolean) => Shot
  readonly pid: () => number | undefined
}

export interface BenchStack {
  readonly stack: Stack
  /** The key of a tenant whose limits no benchmark reaches. */
  readonly apiKey: string
  /** That the tenant's alias leads to. */
  readonly backendId: string
  readonly stateFolder: string
  /** What the app and tools on its stores are configured by. */
  readonly environment: Readonly<Record<string, string>>
  storagePid(): number | undefined
  stop(): Promise<void>
}

/** Storage in memory: what a real storage account takes is not what Azurite's disk takes, and neither is measured here. */
export async function startBenchStack(): Promise<BenchStack> {
  const stateFolder = mkdtempSync(join(tmpdir(), 'tenantry-bench-'))
  await startAzurite()
  const stack = await startStack(stackOptions(stateFolder))
  const platform = platformClient(stack.baseUrl, stack.operatorToken)
  const backendId = await makeBackend(platform)
  const { apiKey } = await platform.onboard(benchTenant(backendId))
  return {
    stack,
    backendId,
    apiKey,
    stateFolder,
    environment: serveEnvironment(stateFolder),
    storagePid: azuritePid,
    stop: async () => {
      await stack.stop()
      await stopAzurite()
      rmSync(stateFolder, { recursive: true, force: true })
    },
  }
}

/** The other ways to the model: a bare proxy, our `serve` on `node:http`, Portkey. */
export async function startPeers(stateFolder: string) {
  const proxy = await startChild(join(__dirname, 'bare-proxy.js'), [
    String(PORTS.proxy),
    `http://127.0.0.1:${PORTS.simulator}`,
    `/openai/deployments/${DEPLOYMENT}/chat/completions?api-version=2024-10-21`,
  ])
  const serve = await startChild(
    join(__dirname, 'serve-on-node.js'),
    [String(PORTS.serve)],
    serveEnvironment(stateFolder),
  )
  const portkey = await startPortkey()
  return { proxy, serve, portkey }
}

export const configureSimulator = (deployment: object) => configureDeployments({ [DEPLOYMENT]: deployment })

/** Merged into what is configured; a deployment that is not there yet is made. */
export async function configureDeployments(deployments: Readonly<Record<string, object>>): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${PORTS.simulator}/simulator/config`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ deployments }),
  })
  if (!answer.ok) throw new Error(`the simulator refused its configuration: ${await answer.text()}`)
  await answer.arrayBuffer()
}

function stackOptions(stateFolder: string) {
  const configFile = join(stateFolder, 'simulator.json')
  writeFileSync(
    configFile,
    JSON.stringify({
      deployments: { [DEPLOYMENT]: { model: 'gpt-4.1-mini-2025-04-14', output: { tokensMin: 32, tokensMax: 32 } } },
    }),
  )
  return {
    port: PORTS.app,
    simulator: { port: PORTS.simulator, configFile },
    storage: { kind: 'connection-string', connectionString: storageConnection() },
    stateFolder,
    distFolder: join(__dirname, '..', 'local'),
    onLine: () => {},
  } as const
}

/** The same settings as the host's, so that `serve` alone works on the same tenant. */
function serveEnvironment(stateFolder: string): Record<string, string> {
  const { keyPepper } = JSON.parse(readFileSync(join(stateFolder, 'secrets.json'), 'utf8')) as { keyPepper: string }
  return {
    AzureWebJobsStorage: storageConnection(),
    TENANTRY_KEY_PEPPER: keyPepper,
    TENANTRY_OPERATOR_TOKEN_HASHES: '0'.repeat(64),
    AZURE_OPENAI_API_KEY: SIMULATOR_KEY,
  }
}

/** `startAzurite` leaves its process where jest's teardown finds it. */
function azuritePid(): number | undefined {
  return (globalThis as { __azurite?: ChildProcess }).__azurite?.pid
}

function storageConnection(): string {
  return process.env['TEST_STORAGE'] ?? ''
}

/** A backend at the simulator; its id. */
export async function makeBackend(platform: PlatformClient, deployment = DEPLOYMENT): Promise<string> {
  const { id } = await platform.post<{ id: string }>('/backends', {
    name: deployment,
    api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
    endpoint: `http://127.0.0.1:${PORTS.simulator}`,
    deployment,
    credential: { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' },
    region: 'swedencentral',
  })
  return id
}

/** A tenant whose limits no benchmark reaches. */
export const benchTenant = (backendId: string) => ({
  displayName: 'Bench',
  contact: { email: 'bench@bench.example' },
  tier: 'premium',
  region: 'swedencentral',
  limitOverrides: { requestsPerMinute: 600_000, tokensPerMinute: 100_000_000, concurrentCalls: 10_000 },
  aliases: [
    {
      name: 'chat',
      model: 'gpt-4.1-mini',
      capabilities: ['chat'],
      groups: [{ members: [{ backendId }] }],
      outputTokensMax: 4_096,
    },
  ],
})

/** A process that says so when it is ready. */
export async function startChild(
  file: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<ChildProcess> {
  const child = fork(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', (code) => reject(new Error(`${file} ended with code ${code}`)))
  })
  return child
}

async function startPortkey(): Promise<ChildProcess> {
  const file = join('bench', 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js')
  const child = fork(file, [`--port=${PORTS.portkey}`, '--headless'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  const deadline = Date.now() + 20_000
  while (Date.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${PORTS.portkey}/`).catch(() => undefined)
    if (answer) {
      await answer.arrayBuffer()
      return child
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('Portkey did not start within 20 s')
}

export function waysOf(
  apiKey: string,
  processes: { stack: Stack } & Partial<Record<'proxy' | 'serve' | 'portkey', ChildProcess>>,
): Way[] {
  const body = (model: string, stream: boolean) =>
    JSON.stringify({ model, messages: MESSAGES, max_tokens: 64, ...(stream ? { stream } : {}) })
  const json = { 'content-type': 'application/json' }
  const at = (port: number) => `http://127.0.0.1:${port}`
  const azurePath = (name: string) => `/openai/deployments/${name}/chat/completions?api-version=2024-10-21`
  const way = (
    name: string,
    port: number,
    path: string,
    headers: Record<string, string>,
    model: string,
    pid: Way['pid'],
  ): Way => ({
    name,
    shot: (stream) => ({ origin: at(port), path, headers: { ...json, ...headers }, body: body(model, stream) }),
    pid,
  })
  const ours = { 'api-key': apiKey }
  const portkey = {
    authorization: `Bearer ${SIMULATOR_KEY}`,
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${at(PORTS.simulator)}/openai/v1`,
  }
  return [
    way('direct', PORTS.simulator, azurePath(DEPLOYMENT), { 'api-key': SIMULATOR_KEY }, DEPLOYMENT, () => undefined),
    way('bare proxy', PORTS.proxy, '/', {}, DEPLOYMENT, () => processes.proxy?.pid),
    way('serve on node:http', PORTS.serve, azurePath('chat'), ours, 'chat', () => processes.serve?.pid),
    way('whole app', PORTS.app, azurePath('chat'), ours, 'chat', () => processes.stack.hostPid()),
    way('Portkey', PORTS.portkey, '/v1/chat/completions', portkey, DEPLOYMENT, () => processes.portkey?.pid),
  ]
}
