/**
 * What each timer takes on a platform of many tenants: the whole app, composed in a process of its own for each timer, on a real Azurite.
 * Azurite goes through its whole table for each range that is read, so its seconds grow with the square of the tenants; what tells of
 * another storage is the number of requests, and how many of them are under way at a time.
 */
// As the app does, first: where V8 allots objects is part of what is measured.
import '../src/young-objects'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import startAzurite from '../test/harness/start-azurite'
import stopAzurite from '../test/harness/stop-azurite'
import type { Orchestrations } from '../src/base/durable-steps'
import type { Log } from '../src/base/log'
import { compose } from '../src/compose'
import { readConfig } from '../src/config'
import type { TimerName } from '../src/functions/timers'
import { usageLogContainer } from '../src/metering/log-blob-name'
import { connectStorage } from '../src/storage/connect'
import { loadAverage, machine, progress } from './machine'
import { watchStorageRequests, type StorageRequests } from './storage-requests'
import { makeTimedTenants, NOW_MS, SINCE_MS, standingClock } from './timed-tenants'
import { writeRecords } from './usage-log-maker'

const HELP = `Runs each timer once on a platform of many tenants with a month of usage, once more with nothing left to do, and those of each
minute for a minute in which every tenant calls.

  --tenants N      all active, with keys, budgets, plans, objectives      (1000)
  --timers a,b     only these                                             (all of the list below)
  --days N         of usage before today, at most 90                       (34)
  --seed N                                                                (1)
  --live           with a full collection every second, to tell what is held from what was not collected yet
  --detail         the most frequent requests of each
  --json FILE      where the figures go                                   (.local/bench/timers.json)
  --help

Timers: `

const MINUTE_MS = 60_000
const MB = 1_000_000
const CALLS_PER_MINUTE_MIN = 2
/** Between forced collections of `--live`. */
const COLLECT_MS = 1_000
const KINDS_SHOWN = 6

/** In the order in which they run, each with how often it does in production: what takes longer falls behind. */
const TIMERS = {
  'roll-up-usage': { intervalMs: MINUTE_MS },
  'watch-neighbours': { intervalMs: MINUTE_MS },
  'watch-slas': { intervalMs: MINUTE_MS },
  'send-notifications': { intervalMs: MINUTE_MS },
  'measure-storage': { intervalMs: 60 * MINUTE_MS },
  'bill-tenants': { intervalMs: 60 * MINUTE_MS },
  'forecast-capacity': { intervalMs: 60 * MINUTE_MS },
  'report-usage': { intervalMs: 60 * MINUTE_MS },
  'watch-budgets': { intervalMs: 60 * MINUTE_MS },
  'keep-house': { intervalMs: 60 * MINUTE_MS },
  'freeze-sla-reports': { intervalMs: 24 * 60 * MINUTE_MS },
  'watch-key-expiry': { intervalMs: 24 * 60 * MINUTE_MS },
  'watch-rotation': { intervalMs: 24 * 60 * MINUTE_MS },
  'remove-old-invoices': { intervalMs: 24 * 60 * MINUTE_MS },
  'remove-old-budgets': { intervalMs: 24 * 60 * MINUTE_MS },
} as const satisfies Partial<Record<TimerName, { intervalMs: number }>>
type TimedName = keyof typeof TIMERS

/** A run of a timer: the first one, the next with nothing left to do, and one for a minute in which every tenant called. */
const phases = ['first', 'again', 'busy minute'] as const

interface PhaseFigures {
  readonly phase: (typeof phases)[number]
  readonly seconds: number
  readonly cpuSeconds: number
  readonly requests: StorageRequests
}

interface Figures {
  readonly timer: TimedName
  readonly phases: readonly PhaseFigures[]
  readonly startMb: number
  readonly peakMb: number
  /** Held on the heap behind a full collection at most, beyond what the app held before it ran; where collections are forced. */
  readonly liveMb: number | undefined
  /** What it warned of, and failed with. */
  readonly complaints: readonly string[]
}

interface Options {
  readonly tenants: number
  readonly days: number
  readonly seed: number
  readonly live: boolean
  readonly detail: boolean
  readonly json: string
  readonly timers: readonly TimedName[]
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      tenants: { type: 'string', default: '1000' },
      timers: { type: 'string', default: Object.keys(TIMERS).join(',') },
      days: { type: 'string', default: '34' },
      seed: { type: 'string', default: '1' },
      live: { type: 'boolean', default: false },
      detail: { type: 'boolean', default: false },
      json: { type: 'string', default: '.local/bench/timers.json' },
      help: { type: 'boolean', default: false },
      // What a process of this tool's own is started with: its timer, and the time that it is.
      measure: { type: 'string' },
      at: { type: 'string', default: '0' },
    },
  })
  if (values.help) return void process.stdout.write(`${HELP}${Object.keys(TIMERS).join(', ')}\n`)
  const options: Options = {
    ...values,
    tenants: wholeNumber(values.tenants, '--tenants'),
    days: wholeNumber(values.days, '--days'),
    seed: wholeNumber(values.seed, '--seed'),
    timers: values.timers.split(',').map(timerNamed),
  }
  if (values.measure !== undefined) return measureHere(timerNamed(values.measure), Number(values.at), options)
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-bench-'))
  await startAzurite()
  try {
    Object.assign(process.env, settingsOf(folder))
    await measure(options)
  } finally {
    await stopAzurite()
    rmSync(folder, { recursive: true, force: true })
  }
}

function wholeNumber(text: string, name: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new Error(`${name} takes a whole number`)
  return number
}

function timerNamed(name: string): TimedName {
  const known = Object.keys(TIMERS).find((each): each is TimedName => each === name)
  if (!known) throw new Error(`--timers takes some of ${Object.keys(TIMERS).join(', ')}: not "${name}"`)
  return known
}

/** What the app is configured by, in this process and in those that it starts. */
const settingsOf = (folder: string) => ({
  AzureWebJobsStorage: process.env['TEST_STORAGE'] ?? '',
  TENANTRY_STORAGE_PREFIX: 'bench',
  TENANTRY_KEY_PEPPER: randomBytes(32).toString('base64'),
  TENANTRY_OPERATOR_TOKEN_HASHES: '0'.repeat(64),
  TENANTRY_WRAPPING_KEY_FILE: join(folder, 'key.json'),
  AZURE_OPENAI_API_KEY: 'a-key',
})

async function measure(options: Options): Promise<void> {
  const { tenants, timers, json } = options
  const silent: Log = { info: () => {}, warn: console.warn, error: console.error }
  const { platform, storage } = composed(silent, standingClock(SINCE_MS))
  await platform.start()
  await makeTimedTenants({ platform, storage }, options)
  await platform.stop()
  const load = loadAverage()
  const figures: Figures[] = []
  mkdirSync(dirname(json), { recursive: true })
  for (const [at, timer] of timers.entries()) {
    progress(timer, at, timers.length)
    // Each a few minutes after the one before, whose busy minute is over for it.
    figures.push(await measureElsewhere(timer, NOW_MS + 2 * at * MINUTE_MS, options))
    const result = { machine: machine(), load, date: new Date().toISOString().slice(0, 10), options, figures }
    // Whoever has seen enough before the last one has what was measured by then.
    writeFileSync(json, JSON.stringify(result, undefined, 2))
  }
  progress('timers', timers.length, timers.length)
  process.stdout.write(`${machine()}, load ${load} before and ${loadAverage()} after\n\n${tableOf(figures, tenants)}`)
  if (options.detail) process.stdout.write(detailOf(figures))
  for (const { timer, complaints } of figures)
    for (const complaint of complaints) process.stderr.write(`${timer}: ${complaint}\n`)
}

function composed(log: Log, clock: ReturnType<typeof standingClock>) {
  const config = readConfig(process.env)
  if (config.storage.kind !== 'connection-string') throw new Error('benchmarks run on storage of this machine')
  return {
    platform: compose(config, log, 'bench', clock),
    storage: connectStorage(config.storage, config.storagePrefix),
  }
}

async function measureElsewhere(timer: TimedName, atMs: number, { live, tenants, seed }: Options): Promise<Figures> {
  const args = [
    __filename,
    '--measure',
    timer,
    '--at',
    String(atMs),
    '--tenants',
    String(tenants),
    '--seed',
    String(seed),
  ]
  const child = spawn(process.execPath, [...args, ...(live ? ['--live'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${timer} ended with ${String(code)}`)
  return JSON.parse(out) as Figures
}

async function measureHere(timer: TimedName, atMs: number, { live, tenants, seed }: Options): Promise<void> {
  // The app's own waits keep no process alive, and here nobody calls.
  const alive = setInterval(() => {}, MINUTE_MS)
  const complaints: string[] = []
  const complain = (message: string, fields?: object) => void complaints.push(`${message} ${JSON.stringify(fields)}`)
  const clock = standingClock(atMs)
  const { platform, storage } = composed({ info: () => {}, warn: complain, error: complain }, clock)
  await platform.start()
  const watched = watchStorageRequests(process.env['AzureWebJobsStorage'] ?? '')
  const startMb = Math.round(process.memoryUsage().rss / MB)
  const held = live ? watchHeld() : undefined
  const figures: PhaseFigures[] = []
  for (const phase of phases) {
    if (phase === 'busy minute') {
      if (TIMERS[timer].intervalMs !== MINUTE_MS) continue
      const records = CALLS_PER_MINUTE_MIN * tenants
      const options = {
        records,
        tenants,
        minutes: 1,
        instances: 1,
        seed,
        everyone: true,
        name: timer.replaceAll('-', ''),
      }
      await writeRecords(
        storage.container(usageLogContainer),
        options,
        Math.floor(atMs / MINUTE_MS) * MINUTE_MS,
        () => {},
      )
      clock.nowMs += MINUTE_MS
      if (timer !== 'roll-up-usage') await platform.timers['roll-up-usage'](noOrchestrations)
    }
    watched.look()
    const [cpuBefore, beganAt] = [process.cpuUsage(), performance.now()]
    await platform.timers[timer](noOrchestrations)
    const seconds = (performance.now() - beganAt) / 1_000
    const { user, system } = process.cpuUsage(cpuBefore)
    figures.push({ phase, seconds, cpuSeconds: (user + system) / MB, requests: watched.look() })
  }
  const liveMb = held?.end()
  const peakMb = Math.round((process.resourceUsage().maxRSS * 1_024) / MB)
  await platform.stop()
  clearInterval(alive)
  process.stdout.write(
    JSON.stringify({ timer, phases: figures, startMb, peakMb, liveMb, complaints } satisfies Figures),
  )
}

/** Of a platform on which no checklist ever ran. */
const noOrchestrations: Orchestrations = {
  start: async () => {},
  status: async () => undefined,
  running: async () => [],
  ended: async () => [],
  purge: async () => {},
  raise: async () => {},
}

/** Forces full collections and remembers the most that was left behind one, beyond what was there at first. */
function watchHeld() {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const look = () => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return (heapUsed + external) / MB
  }
  const firstMb = look()
  let mostMb = firstMb
  const timer = setInterval(() => (mostMb = Math.max(mostMb, look())), COLLECT_MS)
  return {
    end: () => {
      clearInterval(timer)
      return Math.round(Math.max(mostMb, look()) - firstMb)
    },
  }
}

function tableOf(figures: readonly Figures[], tenants: number): string {
  const rows = figures.flatMap(({ timer, phases: runs, startMb, peakMb, liveMb }) =>
    runs.map(({ phase, seconds, cpuSeconds, requests }, at) => {
      const memory = at === 0 ? [peakMb, startMb, liveMb ?? ''] : ['', '', '']
      const perTenant = requests.count / tenants
      const every = at === 0 ? everyText(TIMERS[timer].intervalMs) : ''
      const shown = [
        timer,
        every,
        phase,
        seconds.toFixed(1),
        cpuSeconds.toFixed(1),
        requests.count,
        perTenant.toFixed(2),
      ]
      return `| ${[...shown, requests.atOnce.toFixed(1), ...memory].join(' | ')} |\n`
    }),
  )
  return (
    `| timer, ${tenants} tenants | every | run | s | s of processor | requests | a tenant | at once | peak MB | before | held |\n` +
    `| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n${rows.join('')}`
  )
}

function everyText(ms: number): string {
  if (ms <= MINUTE_MS) return 'minute'
  return ms <= 60 * MINUTE_MS ? 'hour' : 'day'
}

const detailOf = (figures: readonly Figures[]): string =>
  figures
    .flatMap(({ timer, phases: runs }) =>
      runs.map(({ phase, requests: { kinds } }) => {
        const most = kinds.slice(0, KINDS_SHOWN).map(([kind, count]) => `${kind} ${count}`)
        return `${timer}, ${phase}: ${most.join(', ')}\n`
      }),
    )
    .join('')

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(1)
})
