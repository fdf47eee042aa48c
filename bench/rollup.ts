/**
 * How fast the usage log is rolled up, in how much memory, and how soon a month's query is answered: on a real Azurite, the roll-up in a
 * process of its own so that its memory is its own. The log is made from a seed and says what it held, so that the sums are checked.
 */
// As the app does, first: where V8 allots objects is part of what is measured.
import '../src/young-objects'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ContainerClient } from '@azure/storage-blob'
import startAzurite from '../test/harness/start-azurite'
import stopAzurite from '../test/harness/stop-azurite'
import { systemClock, type Clock } from '../src/base/clock'
import { Problem } from '../src/base/problem'
import { usageLogContainer } from '../src/metering/log-blob-name'
import { connectStorage, type StorageAccount } from '../src/storage/connect'
import { TenantScope } from '../src/storage/tenant-scope'
import { createBlobCursors } from '../src/usage/blob-cursors'
import { queryUsage } from '../src/usage/query-usage'
import { createRollUp, usageStorage } from '../src/usage/run-roll-up'
import { loadAverage, machine, progress } from './machine'
import { writeMonthRows } from './month-of-usage'
import { tenantOf, writeDay, writeRecords, type Written } from './usage-log-maker'

const HELP = `Measures the roll-up of a generated usage log, and queries of a month, on Azurite.

  --records N     calls, each with its intent and its settlement         (1000000)
  --tenants N     that made them, some far more than others              (1000)
  --minutes N     in which they came in                                  (10)
  --instances N   that served them, each with log blobs of its own       (2)
  --queries N     of a month of one tenant; 0 leaves that part out       (20)
  --histories N   tenants that have had a month by then                  (1000)
  --seed N                                                               (1)
  --live          rolls up with a full collection every half second, to tell what is held from what was not collected yet
  --json FILE     where the figures go                                   (.local/bench/rollup.json)
  --help
`

const WANTED = { rollUpSeconds: 60, peakMb: 300, queryMs: 100 }
const MB = 1_000_000
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const PREFIX = 'bench'
/** Between forced collections of `--live`: each stops the process for a tenth of a second. */
const COLLECT_MS = 500
/** Of the whole log; what is measured stands in the middle of a day, so that no part of it lies in another hour's listing. */
const START = Date.UTC(2026, 5, 15, 10)
/** Fresh runs begin at most once a second; a query that comes alone does not wait for that. */
const QUERY_PAUSE_MS = 1_100

interface Figures {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly startMb: number
  readonly peakMb: number
  /** On the heap behind a full collection, at most; where they are forced. */
  readonly liveMb: number | undefined
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      records: { type: 'string', default: '1000000' },
      tenants: { type: 'string', default: '1000' },
      minutes: { type: 'string', default: '10' },
      instances: { type: 'string', default: '2' },
      queries: { type: 'string', default: '20' },
      histories: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string', default: '.local/bench/rollup.json' },
      live: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      // What a process of this tool's own is started with: the time that it is.
      at: { type: 'string' },
    },
  })
  if (values.help) return void process.stdout.write(HELP)
  if (values.at !== undefined) return rollUpHere(Number(values.at), values.live)
  const count = (name: keyof Omit<Options, 'json' | 'live'>) => {
    const number = Number(values[name])
    if (!Number.isInteger(number) || number < 0) throw new Error(`--${name} takes a whole number`)
    return number
  }
  await startAzurite()
  try {
    await measure({
      records: count('records'),
      tenants: count('tenants'),
      minutes: count('minutes'),
      instances: count('instances'),
      queries: count('queries'),
      histories: count('histories'),
      seed: count('seed'),
      live: values.live,
      json: values.json,
    })
  } finally {
    await stopAzurite()
  }
}

interface Options {
  readonly records: number
  readonly tenants: number
  readonly minutes: number
  readonly instances: number
  readonly queries: number
  readonly histories: number
  readonly seed: number
  readonly live: boolean
  readonly json: string
}

async function measure(options: Options): Promise<void> {
  const { records, minutes, queries } = options
  const storage = storageHere()
  await storage.ensure(usageStorage)
  const written = await writeRecords(storage.container(usageLogContainer), options, START, (done) =>
    progress('writing the log', done, records),
  )
  const load = loadAverage()
  const bareSeconds = await parseBare(storage.container(usageLogContainer))
  const rollUp = await rollUpElsewhere(START + minutes * 60_000, options.live)
  const rows = await countRows(storage)
  await check(storage, written, START)
  const month = queries > 0 ? await measureMonth(storage, options) : undefined
  const result = {
    machine: machine(),
    load,
    date: new Date().toISOString().slice(0, 10),
    options,
    log: { megabytes: Math.round(written.bytes / MB), blobs: written.blobs, lines: written.lines },
    bareSeconds,
    rollUp: { ...rollUp, recordsPerSecond: Math.round(records / rollUp.seconds), rows },
    month,
    wanted: WANTED,
  }
  mkdirSync(dirname(options.json), { recursive: true })
  writeFileSync(options.json, JSON.stringify(result, undefined, 2))
  process.stdout.write(`${result.machine}, load ${result.load}

| | figure | wanted |
| --- | ---: | ---: |
| ${records} records of ${options.tenants} tenants in ${minutes} minutes, ${written.blobs} blobs, ${result.log.megabytes} MB | ${rollUp.seconds.toFixed(1)} s (${rollUp.cpuSeconds.toFixed(1)} s of processor) | ${WANTED.rollUpSeconds} s |
| memory of the process at its peak, of which ${rollUp.startMb} MB before it began | ${rollUp.peakMb} MB | ${WANTED.peakMb} MB |
${rollUp.liveMb === undefined ? '' : `| held, on the heap behind a full collection, at most | ${rollUp.liveMb} MB | |\n`}| JSON.parse of the same lines alone, in processor time | ${bareSeconds.toFixed(1)} s (${(rollUp.cpuSeconds / bareSeconds).toFixed(1)} times less) | |
| rows written | ${rows} | |
${month ? `| a month of one tenant of ${options.histories}, by day and alias: median, p95 of ${queries} (load ${month.load}) | ${month.p50Ms.toFixed(0)} ms, ${month.p95Ms.toFixed(0)} ms | ${WANTED.queryMs} ms |\n` : ''}`)
}

const storageHere = (): StorageAccount =>
  connectStorage({ kind: 'connection-string', connectionString: process.env['TEST_STORAGE'] ?? '' }, PREFIX)

/** Stands at a wall time; waits take real time. */
const clockAt = (nowMs: number): Clock => ({ ...systemClock, now: () => nowMs })
const log = { info: () => {}, warn: console.warn, error: console.error }

/** The least that any roll-up can take: the lines of the log as JSON, and nothing done with them. Processor time without the download. */
async function parseBare(container: ContainerClient): Promise<number> {
  let microseconds = 0
  for await (const { name } of container.listBlobsFlat()) {
    const bytes = await container.getBlobClient(name).downloadToBuffer()
    const before = process.cpuUsage()
    let start = 0
    for (let end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n', start)) {
      JSON.parse(bytes.toString('utf8', start, end))
      start = end + 1
    }
    const { user, system } = process.cpuUsage(before)
    microseconds += user + system
  }
  return microseconds / MB
}

async function rollUpElsewhere(nowMs: number, live: boolean): Promise<Figures> {
  const args = [__filename, '--at', String(nowMs), ...(live ? ['--live'] : [])]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`the roll-up ended with ${String(code)}`)
  return JSON.parse(out) as Figures
}

async function rollUpHere(nowMs: number, live: boolean): Promise<void> {
  const held = live ? watchHeld() : undefined
  const startMb = Math.round(process.memoryUsage().rss / MB)
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  await createRollUp({ storage: storageHere(), clock: clockAt(nowMs), log }).run()
  const seconds = (performance.now() - startedAt) / 1_000
  const liveMb = held?.end()
  const { user, system } = process.cpuUsage(cpuBefore)
  const peakMb = Math.round((process.resourceUsage().maxRSS * 1_024) / MB)
  const figures: Figures = { seconds, cpuSeconds: (user + system) / MB, startMb, peakMb, liveMb }
  process.stdout.write(JSON.stringify(figures))
}

/** Forces full collections and remembers the most that was left behind one. */
function watchHeld() {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let mostMb = 0
  const look = () => {
    collect()
    mostMb = Math.max(mostMb, Math.round(process.memoryUsage().heapUsed / MB))
  }
  const timer = setInterval(look, COLLECT_MS)
  return {
    end: () => {
      clearInterval(timer)
      return mostMb
    },
  }
}

/** The sums are what was written, tenant by tenant: a fast roll-up of something else would be no figure. */
async function check(storage: StorageAccount, { callsByTenant }: Written, startMs: number): Promise<void> {
  const clock = clockAt(startMs + HOUR_MS)
  const span = { from: new Date(startMs).toISOString(), to: new Date(startMs + HOUR_MS).toISOString() }
  for (const [tenantId, calls] of [...callsByTenant].filter((_, i) => i % 50 === 0)) {
    const answer = await queryUsage(
      { storage, clock, rollUp: { run: async () => {} } },
      TenantScope.ofPlatform(tenantId),
      span,
    )
    if (answer instanceof Problem || answer.totals.calls !== calls)
      throw new Error(`${tenantId} has made ${calls} calls: ${JSON.stringify(answer)}`)
  }
}

async function countRows(storage: StorageAccount): Promise<number> {
  let rows = 0
  const all = storage.table('usageminutes').listEntities({ queryOptions: { select: ['RowKey'] } })
  for await (const row of all) rows += row ? 1 : 0
  return rows
}

/** Tenants have had a busy hour a day, and the one that is asked for all hours; the queries come in the middle of the last day. */
async function measureMonth(storage: StorageAccount, { histories, queries, seed }: Options) {
  const days = 31
  const todayMs = Math.floor((START + 40 * DAY_MS) / DAY_MS) * DAY_MS
  const nowMs = todayMs + 12 * HOUR_MS
  await writeMonthRows(storage, { tenants: histories, days, endMs: todayMs, seed }, (done) =>
    progress('rows of a month', done, histories),
  )
  const clock = clockAt(nowMs)
  const rollUp = createRollUp({ storage, clock, log })
  // What was before is rolled up, and what came today is in the log.
  await createBlobCursors(storage).finish('rolled-up', todayMs)
  await writeDay(storage.container(usageLogContainer), { tenants: histories, startMs: todayMs, nowMs, seed }, (done) =>
    progress('logging today', done, 12),
  )
  await rollUp.run()
  const asked = tenantOf(0)
  const span = { from: new Date(nowMs - 31 * DAY_MS).toISOString(), to: new Date(nowMs).toISOString() }
  const took: number[] = []
  for (let query = 0; query < queries; query++) {
    await sleep(QUERY_PAUSE_MS)
    const startedAt = performance.now()
    const answer = await queryUsage({ storage, clock, rollUp }, TenantScope.ofPlatform(asked), {
      ...span,
      interval: 'day',
      groupBy: 'alias',
    })
    took.push(performance.now() - startedAt)
    if (answer instanceof Problem || answer.rows.length < days) throw new Error(`no month: ${JSON.stringify(answer)}`)
    progress('asking', query + 1, queries)
  }
  took.sort((a, b) => a - b)
  const shareMs = (share: number) => took[Math.ceil(share * queries) - 1] ?? 0
  return {
    load: loadAverage(),
    p50Ms: shareMs(0.5),
    p95Ms: shareMs(0.95),
    maxMs: shareMs(1),
    tookMs: took.map(Math.round),
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(1)
})
