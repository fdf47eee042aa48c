/**
 * What each way to the model costs beyond the model: direct, through a bare proxy, through our `serve` on `node:http`,
 * through our whole app on the local Functions host, and through Portkey's gateway, all against the same simulator.
 *
 * First run: the simulator answers at once; requests a second, latency and memory at 1 and 32 connections, streaming and
 * not. The ways take turns within each round, so that a noisy machine disturbs them alike; figures are medians of rounds.
 * Second run: 300 ms to the first token and 50 tokens a second on 200 streams at once; what is added to both.
 */
import { execFileSync, fork, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startStack, SIMULATOR_KEY, type Stack } from '../local/stack'
import { platformClient } from '../local/platform-client'
import startAzurite from '../test/harness/start-azurite'
import stopAzurite from '../test/harness/stop-azurite'
import { quantile, runLoad, runStreams, type LoadResult, type Shot } from './load'

const HELP = `Measures what the gateway adds. Needs bench/node_modules (npm run bench installs them).

  --rounds N      rounds of the first run, whose median counts          (3)
  --seconds N     length of each measurement                            (5)
  --streams N     streams at once in the second run                     (200)
  --quick         one round of 2 s and 50 streams, to try the script
  --json FILE     where the figures go                                  (.local/bench/overhead.json)
  --help
`

const PORTS = {
  simulator: 17_272,
  app: 17_271,
  serve: 17_273,
  proxy: 17_274,
  portkey: 17_275,
}
const DEPLOYMENT = 'bench'
const MESSAGES = [
  { role: 'system', content: 'You answer briefly.' },
  { role: 'user', content: 'What is the capital of France? Name its river too.' },
]

interface Way {
  readonly name: string
  readonly shot: (stream: boolean) => Shot
  readonly pid: () => number | undefined
}

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly streams: number
  readonly json: string
}

async function main(): Promise<void> {
  const options = readOptions()
  if (!options) return void process.stdout.write(HELP)
  const stateFolder = mkdtempSync(join(tmpdir(), 'tenantry-bench-'))
  const children: ChildProcess[] = []
  let stack: Stack | undefined
  // In memory: what a real storage account takes is not what Azurite's disk takes, and neither is what is measured here.
  await startAzurite()
  try {
    stack = await startStack(stackOptions(stateFolder))
    const apiKey = await makeTenant(stack)
    children.push(
      await startChild(join(__dirname, 'bare-proxy.js'), [
        String(PORTS.proxy),
        `http://127.0.0.1:${PORTS.simulator}`,
        `/openai/deployments/${DEPLOYMENT}/chat/completions?api-version=2024-10-21`,
      ]),
      await startChild(join(__dirname, 'serve-on-node.js'), [String(PORTS.serve)], serveEnvironment(stateFolder)),
      await startPortkey(),
    )
    const [proxy, serve, portkey] = children
    const ways = waysOf(apiKey, { stack, proxy, serve, portkey })
    const overhead = await measureOverhead(ways, options)
    const streams = await measureStreams(ways, options)
    report({ machine: machine(), date: new Date().toISOString().slice(0, 10), overhead, streams }, options)
  } finally {
    for (const child of children) child.kill('SIGTERM')
    await stack?.stop()
    await stopAzurite()
    rmSync(stateFolder, { recursive: true, force: true })
  }
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      streams: { type: 'string', default: '200' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string', default: '.local/bench/overhead.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  if (values.quick) return { rounds: 1, seconds: 2, streams: 50, json: values.json }
  return {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    streams: Number(values.streams),
    json: values.json,
  }
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

function storageConnection(): string {
  return process.env['TEST_STORAGE'] ?? ''
}

async function makeTenant({ baseUrl, operatorToken }: Stack): Promise<string> {
  const platform = platformClient(baseUrl, operatorToken)
  const backend = await platform.post<{ id: string }>('/backends', {
    name: 'bench',
    api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
    endpoint: `http://127.0.0.1:${PORTS.simulator}`,
    deployment: DEPLOYMENT,
    credential: { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' },
    region: 'swedencentral',
  })
  const groups = [{ members: [{ backendId: backend.id }] }]
  const { apiKey } = await platform.post<{ apiKey: string }>('/tenants', {
    displayName: 'Bench',
    contact: { email: 'bench@bench.example' },
    tier: 'premium',
    region: 'swedencentral',
    limitOverrides: { requestsPerMinute: 600_000, tokensPerMinute: 100_000_000, concurrentCalls: 10_000 },
    aliases: [{ name: 'chat', model: 'gpt-4.1-mini', capabilities: ['chat'], groups, outputTokensMax: 4_096 }],
  })
  return apiKey
}

async function startChild(file: string, args: string[], env: Record<string, string> = {}): Promise<ChildProcess> {
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

function waysOf(
  apiKey: string,
  processes: { stack: Stack } & Record<'proxy' | 'serve' | 'portkey', ChildProcess | undefined>,
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

interface Cell extends LoadResult {
  readonly way: string
  readonly connections: number
  readonly stream: boolean
  readonly residentMb: number | undefined
  /** Processor time of the way's own process for one request; tells cost apart from a busy machine. */
  readonly cpuMicroseconds: number | undefined
}

const CELLS = [
  { connections: 1, stream: false },
  { connections: 32, stream: false },
  { connections: 1, stream: true },
  { connections: 32, stream: true },
]
/** Long enough for the just-in-time compiler to be done with all of them. */
const WARM_UP_MS = 6_000

async function measureOverhead(ways: readonly Way[], { rounds, seconds }: Options): Promise<Cell[]> {
  const results: Cell[] = []
  let done = 0
  const total = rounds * CELLS.length * ways.length
  for (const way of ways) await runLoad(way.shot(false), 32, WARM_UP_MS)
  for (const way of ways) await runLoad(way.shot(true), 32, WARM_UP_MS / 2)
  for (let round = 0; round < rounds; round++) {
    for (const cell of CELLS) {
      for (const way of ways) {
        const cpuBefore = cpuMicroseconds(way.pid())
        const result = await runLoad(way.shot(cell.stream), cell.connections, seconds * 1_000)
        const cpu = cpuMicroseconds(way.pid())
        results.push({
          way: way.name,
          ...cell,
          ...result,
          residentMb: residentMb(way.pid()),
          cpuMicroseconds: cpu && cpuBefore && (cpu - cpuBefore) / (result.requestsPerSecond * seconds),
        })
        done += 1
        progress('no delay', done, total)
      }
    }
  }
  return CELLS.flatMap((cell) =>
    ways.map(({ name }) =>
      medianOf(results.filter((r) => r.way === name && r.connections === cell.connections && r.stream === cell.stream)),
    ),
  )
}

function medianOf(cells: readonly Cell[]): Cell {
  const median = (pick: (cell: Cell) => number) =>
    quantile(
      cells.map(pick).sort((a, b) => a - b),
      0.5,
    )
  const [first] = cells
  if (!first) throw new Error('no measurement')
  return {
    ...first,
    requestsPerSecond: median((c) => c.requestsPerSecond),
    p50Ms: median((c) => c.p50Ms),
    p99Ms: median((c) => c.p99Ms),
    errors: cells.reduce((sum, c) => sum + c.errors, 0),
    residentMb: Math.max(...cells.map((c) => c.residentMb ?? 0)) || undefined,
    cpuMicroseconds: median((c) => c.cpuMicroseconds ?? 0) || undefined,
  }
}

interface StreamFigures {
  readonly way: string
  readonly firstByteMs: { readonly p50: number; readonly p99: number }
  readonly totalMs: { readonly p50: number; readonly p99: number }
  readonly errors: number
}

async function measureStreams(ways: readonly Way[], { streams }: Options): Promise<StreamFigures[]> {
  const answer = await fetch(`http://127.0.0.1:${PORTS.simulator}/simulator/config`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      deployments: {
        [DEPLOYMENT]: {
          latency: { firstTokenMs: 300, tokensPerSecond: 50, jitter: 0 },
          output: { tokensMin: 100, tokensMax: 100 },
        },
      },
    }),
  })
  if (!answer.ok) throw new Error(`the simulator refused its configuration: ${await answer.text()}`)
  const figures: StreamFigures[] = []
  const long = (shot: Shot): Shot => ({ ...shot, body: shot.body.replace('"max_tokens":64', '"max_tokens":200') })
  for (const [i, way] of ways.entries()) {
    // Spread over the time of one stream, so that at any moment streams begin, run and end.
    const times = await runStreams(long(way.shot(true)), streams, 4, 2_300)
    const spread = (values: readonly number[]) => {
      const sorted = [...values].sort((a, b) => a - b)
      return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
    }
    figures.push({
      way: way.name,
      firstByteMs: spread(times.firstByteMs),
      totalMs: spread(times.totalMs),
      errors: times.errors,
    })
    progress(`${streams} streams`, i + 1, ways.length)
  }
  return figures
}

function residentMb(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined
  const kilobytes = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)]).toString())
  return Math.round(kilobytes / 1_024)
}

/** User and system time of a process so far (proc(5): fields 14 and 15 of stat, in ticks of 10 ms). */
function cpuMicroseconds(pid: number | undefined): number | undefined {
  if (pid === undefined || process.platform !== 'linux') return undefined
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

function machine(): string {
  const [cpu] = cpus()
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`
}

function progress(what: string, done: number, total: number): void {
  const width = 30
  const filled = Math.round((width * done) / total)
  process.stderr.write(`\r${what} [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${done}/${total}   `)
  if (done === total) process.stderr.write('\n')
}

interface Report {
  readonly machine: string
  readonly date: string
  readonly overhead: readonly Cell[]
  readonly streams: readonly StreamFigures[]
}

function report(figures: Report, { json }: Options): void {
  mkdirSync(join(json, '..'), { recursive: true })
  writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`)
  const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  const lines = [`${figures.date}, ${figures.machine}`, '']
  for (const { connections, stream } of CELLS) {
    const cells = figures.overhead.filter((c) => c.connections === connections && c.stream === stream)
    const portkey = cells.find((c) => c.way === 'Portkey')?.requestsPerSecond ?? NaN
    const proxy = cells.find((c) => c.way === 'bare proxy')?.requestsPerSecond ?? NaN
    lines.push(`${stream ? 'Streaming' : 'Not streaming'}, ${connections} connection${connections > 1 ? 's' : ''}`, '')
    lines.push(
      row(['way', 'requests/s', '× Portkey', '× bare proxy', 'p50 ms', 'p99 ms', 'cpu µs', 'memory MB', 'errors']),
    )
    lines.push(row(['---', ...Array<string>(8).fill('---:')]))
    for (const c of cells) {
      const rate = c.requestsPerSecond
      lines.push(
        row([
          c.way,
          Math.round(rate),
          (rate / portkey).toFixed(2),
          (rate / proxy).toFixed(2),
          c.p50Ms.toFixed(2),
          c.p99Ms.toFixed(2),
          c.cpuMicroseconds === undefined ? '' : Math.round(c.cpuMicroseconds),
          c.residentMb ?? '',
          c.errors,
        ]),
      )
    }
    lines.push('')
  }
  const direct = figures.streams.find(({ way }) => way === 'direct')
  lines.push('300 ms to the first token, 50 tokens/s, 100 tokens; added against direct', '')
  lines.push(
    row(['way', 'first byte p50 ms', 'added', 'p99 ms', 'added', 'total p50 ms', 'added', 'p99 ms', 'added', 'errors']),
  )
  lines.push(row(['---', ...Array<string>(9).fill('---:')]))
  for (const s of figures.streams) {
    const pair = (value: number, base = 0) => [value.toFixed(1), (value - base).toFixed(1)]
    lines.push(
      row([
        s.way,
        ...pair(s.firstByteMs.p50, direct?.firstByteMs.p50),
        ...pair(s.firstByteMs.p99, direct?.firstByteMs.p99),
        ...pair(s.totalMs.p50, direct?.totalMs.p50),
        ...pair(s.totalMs.p99, direct?.totalMs.p99),
        s.errors,
      ]),
    )
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
