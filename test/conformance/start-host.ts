import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { testConnectionString } from '../harness/storage'
import { builtHost } from './built-host'
import { freePort } from '../harness/free-port'

const APP_FOLDER = path.join(__dirname, 'app')
const READY_MS_MAX = 120_000
const STOP_MS_MAX = 120_000

export interface RunningHost {
  readonly baseUrl: string
  readonly hostId: string
  /** What the host printed so far. */
  output(): string
  /** SIGTERM, and the wait for its end. Resolves to the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL of the whole process tree: `func` has a worker below it. */
  kill(): Promise<void>
}

export interface StartOptions {
  readonly appFolder?: string
  readonly port?: number
  readonly env?: Readonly<Record<string, string>>
  /** Asks for keys, which `func start` and the local host both do only when told to. */
  readonly enforceKeys?: boolean
  /** Options of the local host alone. */
  readonly localOptions?: readonly string[]
}

export const isFunc = process.env['HOST'] === 'func'

/** For what the local host does better than the real one, which is said in the README. */
export const itLocally = isFunc ? it.skip : it

/** Names that no other test file uses, so that hosts on one storage account do not meet. */
export function freshNames(): Readonly<Record<string, string>> {
  const unique = randomBytes(5).toString('hex')
  return { HUB_NAME: `Hub${unique}`, AzureFunctionsWebHost__hostid: `host${unique}`, RUN: unique }
}

/** Starts our host, or with HOST=func the real one, on the fixture app; resolves when it says that it is running. */
export async function startHost(options: StartOptions = {}): Promise<RunningHost> {
  const port = options.port ?? (await freePort())
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    AzureWebJobsStorage: testConnectionString(),
    FUNCTIONS_WORKER_RUNTIME: 'node',
    ...freshNames(),
    ...options.env,
  }
  const [command = '', ...args] = commandOf(port, options)
  const cwd = options.appFolder ?? APP_FOLDER
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr.on('data', (data: Buffer) => (output += data.toString()))
  const baseUrl = `http://127.0.0.1:${port}`
  await waitUntilRunning(child, baseUrl, () => output)
  return {
    baseUrl,
    hostId: env['AzureFunctionsWebHost__hostid'] ?? '',
    output: () => output,
    stop: () => end(child, 'SIGTERM'),
    kill: async () => {
      await end(child, 'SIGKILL')
    },
  }
}

function commandOf(port: number, { enforceKeys, localOptions = [] }: StartOptions): string[] {
  if (isFunc) return ['func', 'start', '--port', String(port), ...(enforceKeys ? ['--enableAuth'] : [])]
  const auth = enforceKeys ? ['--enable-auth'] : []
  return [process.execPath, builtHost(), '--port', String(port), ...auth, ...localOptions]
}

async function waitUntilRunning(child: ChildProcess, baseUrl: string, output: () => string): Promise<void> {
  const deadlineMs = Date.now() + READY_MS_MAX
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the host ended with code ${child.exitCode}:\n${output()}`)
    const answer = await fetch(`${baseUrl}/admin/host/status`).catch(() => undefined)
    // With keys asked for, func tells its state only to those who have one; that it answers is enough then.
    if (answer?.status === 401) return
    if (answer?.ok && ((await answer.json()) as { state: string }).state === 'Running') return
    if (Date.now() > deadlineMs) throw new Error(`the host is not running after ${READY_MS_MAX} ms:\n${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return child.exitCode
  const gone = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
  process.kill(-child.pid, signal)
  const timer = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), STOP_MS_MAX)
  await gone
  clearTimeout(timer)
  return child.exitCode
}
