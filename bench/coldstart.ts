/**
 * How long an instance takes to start: until its functions are registered, and until it has answered its first call, for the packaged
 * app and for a bare one with a single function, in turns. Figures go to the terminal and to .local/bench/coldstart.json.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildSync } from 'esbuild'
import { launch } from '../local/host/launcher/launch'
import type { LoadedApp } from './load-app'
import { quantile } from './load'
import { loadAverage, machine, progress } from './machine'
import { PORTS, startBenchStack, type BenchStack } from './setup'

const HELP = `Measures the start of an instance, against a bare app with one function.

  --starts N       of each app, in turns                              (15)
  --app FOLDER     the app; made by npm run package                   (dist/package)
  --registered     only until the functions are registered
  --node OPTIONS   options of Node for the processes that only load   ()
  --json FILE      where the figures go                               (.local/bench/coldstart.json)
  --help
`
const REGISTERED_MS_WANTED = 600
const FIRST_ANSWER_MS_MAX = 30_000
const RETRY_MS = 5

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      starts: { type: 'string', default: '15' },
      app: { type: 'string', default: join('dist', 'package') },
      registered: { type: 'boolean', default: false },
      node: { type: 'string', default: '' },
      json: { type: 'string', default: join('.local', 'bench', 'coldstart.json') },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(HELP)
  const starts = Number(values.starts)
  const bareFolder = makeBareApp()
  // To load an app, nothing of what it calls has to be there.
  const bench = values.registered ? undefined : await startBenchStack()
  try {
    const apps = appsOf(resolve(values.app), bareFolder, bench)
    const loads = await inTurns('registered', starts, apps, (app) => load(app, values.node.split(' ').filter(Boolean)))
    const answers = bench && (await inTurns('first answer', starts, apps, untilFirstAnswer))
    report({ machine: machine(), loadAverage: loadAverage(), loads, ...(answers ? { answers } : {}) }, values.json)
  } finally {
    await bench?.stop()
    rmSync(bareFolder, { recursive: true, force: true })
  }
}

/** Settings of an app that is loaded and never called. */
const NOWHERE = {
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  TENANTRY_KEY_PEPPER: 'p'.repeat(43),
  TENANTRY_OPERATOR_TOKEN_HASHES: '0'.repeat(64),
}

interface App {
  readonly name: 'tenantry' | 'bare'
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** Its first call; answered with 200. */
  readonly call: (port: number) => Promise<Response>
}

type ByApp<T> = Readonly<Record<App['name'], readonly T[]>>

/** A function that answers, bundled like ours: what anybody's app of this kind takes at least. */
function makeBareApp(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-bare-'))
  const contents = `import { app } from '@azure/functions'
    app.setup({ enableHttpStream: true })
    app.http('hello', { authLevel: 'anonymous', route: 'hello', handler: async () => ({ body: 'hello' }) })`
  buildSync({
    stdin: { contents, resolveDir: process.cwd() },
    outfile: join(folder, 'main.js'),
    external: ['@azure/functions-core'],
    bundle: true,
    platform: 'node',
    format: 'cjs',
  })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'bare', main: 'main.js' }))
  writeFileSync(
    join(folder, 'host.json'),
    JSON.stringify({ version: '2.0', extensions: { http: { routePrefix: '' } } }),
  )
  return folder
}

function appsOf(folder: string, bareFolder: string, bench: BenchStack | undefined): readonly App[] {
  const body = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 16 })
  const headers = { 'content-type': 'application/json', 'api-key': bench?.apiKey ?? '' }
  const environment = {
    ...(bench?.environment ?? NOWHERE),
    TENANTRY_WRAPPING_KEY_FILE: join(bench?.stateFolder ?? bareFolder, 'wrapping-key.json'),
    TENANTRY_PUBLIC_URL: `http://localhost:${PORTS.app}`,
  }
  const at = (port: number, path: string) => `http://127.0.0.1:${port}${path}`
  return [
    {
      name: 'tenantry',
      folder,
      environment,
      call: (port) => fetch(at(port, '/openai/v1/chat/completions'), { method: 'POST', headers, body }),
    },
    { name: 'bare', folder: bareFolder, environment, call: (port) => fetch(at(port, '/hello')) },
  ]
}

/** In turns, so that what else the machine does meets both; each once before, which reads their files into the system's cache. */
async function inTurns<T>(
  what: string,
  starts: number,
  apps: readonly App[],
  start: (app: App) => Promise<T>,
): Promise<ByApp<T>> {
  const results: Record<App['name'], T[]> = { tenantry: [], bare: [] }
  for (let i = 0; i <= starts; i++) {
    for (const app of apps) {
      const result = await start(app)
      if (i > 0) results[app.name].push(result)
    }
    progress(what, i, starts)
  }
  return results
}

interface Load extends LoadedApp {
  /** From before the process was made. */
  readonly registeredMs: number
}

async function load(app: App, options: readonly string[]): Promise<Load> {
  const startedAtMs = performance.timeOrigin + performance.now()
  const child = fork(join(__dirname, 'load-app.js'), [app.folder], {
    env: { ...process.env, ...app.environment },
    execArgv: [...options],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const [message] = (await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => Promise.reject(new Error(`${app.name} ended with code ${String(code)}`))),
  ])) as [LoadedApp]
  await ended
  return { ...message, registeredMs: message.registeredAtMs - startedAtMs }
}

/** On the local host, storage and model beside it: from before its process is made until the first answer is here. */
async function untilFirstAnswer(app: App): Promise<{ readonly answeredMs: number }> {
  const startedAtMs = performance.now()
  const launched = await launch({
    appFolder: app.folder,
    port: PORTS.serve,
    storage: { kind: 'connection-string', connectionString: app.environment['AzureWebJobsStorage'] ?? '' },
    hostFile: join(__dirname, '..', 'local', 'host.js'),
    hostOptions: ['--no-triggers'],
    env: { ...app.environment },
    onLine: () => {},
  })
  try {
    await firstAnswer(() => app.call(PORTS.serve), startedAtMs + FIRST_ANSWER_MS_MAX)
    return { answeredMs: performance.now() - startedAtMs }
  } finally {
    await launched.stop()
  }
}

async function firstAnswer(call: () => Promise<Response>, deadlineMs: number): Promise<void> {
  for (;;) {
    const answer = await call().catch(() => undefined)
    if (answer?.status === 200) return void (await answer.arrayBuffer())
    if (answer) throw new Error(`the first call was answered ${answer.status}: ${await answer.text()}`)
    if (performance.now() > deadlineMs) throw new Error('no first answer came')
    await new Promise((resume) => setTimeout(resume, RETRY_MS))
  }
}

interface Figures {
  readonly machine: string
  readonly loadAverage: string
  readonly loads: ByApp<Load>
  readonly answers?: ByApp<{ readonly answeredMs: number }>
}

function report({ machine: where, loadAverage: load, loads, answers }: Figures, file: string): void {
  const rows = [
    rowOf('functions registered, ms', loads, ({ registeredMs }) => registeredMs),
    rowOf('their processor time, ms', loads, ({ processorMs }) => processorMs),
    rowOf('memory then, MB', loads, ({ residentMb }) => residentMb),
    ...(answers ? [rowOf('first answer, ms', answers, ({ answeredMs }) => answeredMs)] : []),
  ]
  const lines = rows.map(
    ({ what, ours, bare }) =>
      `| ${[what, ours.p50, ours.p95, ours.min, bare.p50, bare.p95].map(cell).join(' | ')} | ${(ours.p50 / bare.p50).toFixed(2)} |`,
  )
  const [registered] = rows
  const within = (registered?.ours.p50 ?? Infinity) <= REGISTERED_MS_WANTED
  const table = [
    `${where}, load ${load}; ${loads.tenantry.length} starts of each, ${loads.tenantry[0]?.functions} functions and 1`,
    '',
    '| | Tenantry p50 | p95 | least | bare p50 | p95 | ratio of p50 |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
    '',
    `Wanted: functions registered within ${REGISTERED_MS_WANTED} ms. ${within ? 'They are.' : 'They are not.'}`,
  ]
  process.stdout.write(`\n${table.join('\n')}\n`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ machine: where, loadAverage: load, rows, loads, answers }, null, 2)}\n`)
}

const cell = (value: string | number) => (typeof value === 'number' ? String(Math.round(value)) : value)

function rowOf<T>(what: string, results: ByApp<T>, valueOf: (result: T) => number) {
  const of = (name: App['name']) => {
    const sorted = results[name].map(valueOf).sort((a, b) => a - b)
    return { min: sorted[0] ?? NaN, p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) }
  }
  return { what, ours: of('tenantry'), bare: of('bare') }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
