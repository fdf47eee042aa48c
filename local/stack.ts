import { fork, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { connectionStringOf, launch, type Launched, type LaunchStorage } from './host/launcher/launch'
import { findDirectory, PLATFORM_CLIENT_ID, SIMULATED_SECRET } from './simulator/entra/directories'

/** The whole platform on one machine: Azurite, simulator and Functions host, each a process of its own. */
export interface Stack {
  readonly baseUrl: string
  /** Undefined where a real account serves. */
  readonly simulatorUrl: string | undefined
  readonly operatorToken: string
  hostPid(): number | undefined
  stop(): Promise<void>
}

export interface StackOptions {
  readonly port: number
  /** Undefined starts no simulator. */
  readonly simulator: { readonly port: number; readonly configFile?: string } | undefined
  readonly storage: LaunchStorage
  /** The app; by default the one in the working folder. */
  readonly appFolder?: string
  /** Holds the stack's secrets, so that keys made before a restart still work after it. */
  readonly stateFolder: string
  readonly env?: Readonly<Record<string, string>>
  readonly hostOptions?: readonly string[]
  readonly watch?: boolean
  /** Where the built host and simulator are; by default beside this code's own bundle. */
  readonly distFolder?: string
  readonly onLine?: (line: string) => void
}

export const SIMULATOR_KEY = 'simulator-key'
const READY_MS_MAX = 60_000
const STOP_GRACE_MS = 5_000

export async function startStack(options: StackOptions): Promise<Stack> {
  const secrets = readSecrets(options.stateFolder)
  const distFolder = options.distFolder ?? __dirname
  const simulator = options.simulator && startSimulator(options.simulator, distFolder, options)
  const launched = await launch({
    appFolder: options.appFolder ?? process.cwd(),
    port: options.port,
    storage: options.storage,
    ...(options.hostOptions ? { hostOptions: options.hostOptions } : {}),
    hostFile: join(distFolder, 'host.js'),
    ...(options.watch ? { watch: join(process.cwd(), 'dist', 'main.js') } : {}),
    ...(options.onLine ? { onLine: options.onLine } : {}),
    env: {
      TENANTRY_KEY_PEPPER: secrets.keyPepper,
      TENANTRY_WRAPPING_KEY_FILE: join(resolve(options.stateFolder), 'wrapping-key.json'),
      TENANTRY_OPERATOR_TOKEN_HASHES: createHash('sha256').update(secrets.operatorToken).digest('hex'),
      TENANTRY_PUBLIC_URL: `http://localhost:${options.port}`,
      ...(options.simulator ? azureSettings(options.simulator.port) : {}),
      ...options.env,
      // A key of a real account in the environment is not the simulator's.
      ...(options.simulator ? { AZURE_OPENAI_API_KEY: SIMULATOR_KEY } : {}),
    },
  })
  const stack: Stack = {
    baseUrl: `http://localhost:${options.port}`,
    simulatorUrl: options.simulator && `http://localhost:${options.simulator.port}`,
    operatorToken: secrets.operatorToken,
    hostPid: () => launched.hostPid(),
    stop: () => stopAll(launched, simulator),
  }
  try {
    await Promise.all([launched.ready, simulator?.ready])
    await healthy(stack)
    return stack
  } catch (error) {
    await stack.stop()
    throw error
  }
}

/** The simulated Entra and Resource Manager in place of Microsoft's, and who the platform is to them. */
export const azureSettings = (simulatorPort: number) => ({
  TENANTRY_ENTRA_AUTHORITY: `http://localhost:${simulatorPort}/entra`,
  TENANTRY_ENTRA_AUDIENCES: PLATFORM_CLIENT_ID,
  TENANTRY_PLATFORM_DIRECTORY: findDirectory('platform')?.id ?? '',
  TENANTRY_ARM_URL: `http://localhost:${simulatorPort}`,
  TENANTRY_MAIL_ENDPOINT: `http://localhost:${simulatorPort}/communication`,
  TENANTRY_MAIL_SENDER: 'platform@tenantry.example',
  TENANTRY_EVENT_GRID_TOPIC: `http://localhost:${simulatorPort}/eventgrid/api/events`,
  TENANTRY_WEBHOOK_HOSTS_OPEN: `localhost:${simulatorPort}`,
  AZURE_TENANT_ID: findDirectory('platform')?.id ?? '',
  AZURE_CLIENT_ID: PLATFORM_CLIENT_ID,
  AZURE_CLIENT_SECRET: SIMULATED_SECRET,
})

interface Secrets {
  readonly keyPepper: string
  readonly operatorToken: string
}

function readSecrets(stateFolder: string): Secrets {
  mkdirSync(stateFolder, { recursive: true })
  const file = join(stateFolder, 'secrets.json')
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Secrets
  } catch {
    const secrets = {
      keyPepper: randomBytes(32).toString('base64url'),
      operatorToken: `tno_${randomBytes(24).toString('base64url')}`,
    }
    writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 })
    return secrets
  }
}

interface Simulator {
  readonly process: ChildProcess
  readonly ready: Promise<void>
}

function startSimulator(
  { port, configFile }: NonNullable<StackOptions['simulator']>,
  distFolder: string,
  { stateFolder, storage, onLine }: Pick<StackOptions, 'stateFolder' | 'storage' | 'onLine'>,
): Simulator {
  const args = [
    '--port',
    String(port),
    '--state',
    join(resolve(stateFolder), 'simulator.json'),
    ...(configFile ? ['--config', configFile] : []),
    ...storageUrls(storage),
  ]
  const child = fork(join(distFolder, 'simulator.js'), args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  child.stderr?.on('data', (data: Buffer) => (onLine ?? console.error)(`simulator: ${data.toString().trimEnd()}`))
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`the simulator ended with code ${code}; is port ${port} free?`)))
  })
  ended.catch(() => {})
  const ready = Promise.race([answers(`http://localhost:${port}/simulator/health`), ended])
  ready.catch(() => {})
  return { process: child, ready }
}

/** Where accounts that are made through the simulator are: in the same Azurite as the platform's own. */
function storageUrls(storage: LaunchStorage): string[] {
  const connectionString = connectionStringOf(storage)
  return ['Blob', 'Queue', 'Table'].flatMap((service) => {
    // Azurite's addresses end with the account's name; a real account's connection string has none.
    const [, url] = new RegExp(`${service}Endpoint=([^;]+?)/[^/;]+/?(?:;|$)`).exec(connectionString) ?? []
    return url === undefined ? [] : [`--storage-${service.toLowerCase()}-url`, url]
  })
}

async function healthy({ baseUrl }: Stack): Promise<void> {
  await answers(`${baseUrl}/api/health`)
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + READY_MS_MAX
  for (;;) {
    const response = await fetch(url).catch(() => undefined)
    if (response?.status === 200) return
    if (Date.now() > deadline) throw new Error(`${url} did not answer 200 within ${READY_MS_MAX / 1_000} s`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function stopAll(launched: Launched, simulator: Simulator | undefined): Promise<void> {
  await launched.stop()
  if (!simulator || simulator.process.exitCode !== null) return
  const gone = new Promise((resolve) => simulator.process.once('exit', resolve))
  simulator.process.kill('SIGTERM')
  const timer = setTimeout(() => simulator.process.kill('SIGKILL'), STOP_GRACE_MS)
  await gone
  clearTimeout(timer)
}
