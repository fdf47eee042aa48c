/**
 * Whether it matters to a call how many tenants there are: the same number of calls a second, spread evenly over few tenants
 * and over many, in turns. All tenants are in storage in both cases. A call of many tenants mostly finds nothing of its tenant
 * in memory; the first call of each is shown apart. Against a model that takes the time of a model, and against one that
 * answers at once, before which every millisecond of ours shows.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { median, runLoad, type Shot } from './load'
import { cpuMicroseconds, loadAverage, machine, progress, residentMb } from './machine'
import { makeTenants } from './many-tenants'
import { paceCalls, type PacedCalls } from './paced-calls'
import { configureSimulator, startBenchStack, waysOf, type BenchStack } from './setup'

const HELP = `Measures whether calls are slower where there are many tenants.

  --tenants N    many                                                   (10000)
  --few N        few                                                    (10)
  --rate N       calls a second                                         (20)
  --seconds N    length of each measurement                             (60)
  --rounds N     rounds, whose median counts                            (3)
  --only KIND    slow or instant model; both by default
  --quick        200 tenants, one round of 5 s, to try the script
  --json FILE    where the figures go                                   (.local/bench/scale.json)
  --help
`

interface Options {
  readonly tenants: number
  readonly few: number
  readonly rate: number
  readonly seconds: number
  readonly rounds: number
  readonly only: string | undefined
  readonly json: string
}

const models = [
  { name: 'slow', latency: { firstTokenMs: 300, tokensPerSecond: 100, jitter: 0.1 } },
  { name: 'instant', latency: { firstTokenMs: 0, tokensPerSecond: 0, jitter: 0 } },
] as const

const WARM_UP_MS = 5_000
/** At least so many a second, or the first calls of 10,000 tenants would take longer than all the rest. */
const FIRST_CALLS_PER_SECOND_MIN = 40
const WARM_UP_CONNECTIONS = 16

interface Figures extends PacedCalls {
  readonly model: string
  readonly tenants: number
  readonly calls: 'first' | 'later'
  /** Of the app's process and of the storage's, for one call. */
  readonly cpuMicroseconds: number
  readonly storageCpuMicroseconds: number
  readonly residentMb: number
}

async function main(): Promise<void> {
  const options = readOptions()
  if (!options) return void process.stdout.write(HELP)
  const loadBefore = loadAverage()
  const bench = await startBenchStack()
  try {
    const apiKeys = await makeTenants(bench, options.tenants)
    const figures = await measureAll(bench, apiKeys, options)
    report({ machine: machine(), loadBefore, options, figures })
  } finally {
    await bench.stop()
  }
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      tenants: { type: 'string', default: '10000' },
      few: { type: 'string', default: '10' },
      rate: { type: 'string', default: '20' },
      seconds: { type: 'string', default: '60' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string', default: '.local/bench/scale.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { only, json } = values
  const [few, rate] = [Number(values.few), Number(values.rate)]
  if (values.quick) return { tenants: 200, few, rate, seconds: 5, rounds: 1, only, json }
  const [tenants, seconds, rounds] = [Number(values.tenants), Number(values.seconds), Number(values.rounds)]
  return { tenants, few, rate, seconds, rounds, only, json }
}

async function measureAll(bench: BenchStack, apiKeys: readonly string[], options: Options): Promise<Figures[]> {
  const shots = apiKeys.map((apiKey) => shotOf(bench, apiKey))
  const many = new Turns(shots)
  const few = new Turns(shots.slice(0, options.few))
  await runLoad(shotOf(bench, bench.apiKey), WARM_UP_CONNECTIONS, WARM_UP_MS)

  const figures: Figures[] = []
  const rate = Math.max(options.rate, FIRST_CALLS_PER_SECOND_MIN)
  const seconds = Math.ceil(shots.length / rate)
  figures.push(await measure(bench, many, { model: 'instant', calls: 'first', seconds, rate }))
  for (const { name, latency } of models.filter(({ name }) => options.only === undefined || options.only === name)) {
    await configureSimulator({ latency })
    for (let round = 0; round < options.rounds; round++)
      for (const turns of [few, many])
        figures.push(await measure(bench, turns, { ...options, model: name, calls: 'later' }))
  }
  return figures
}

/** The calls of some tenants, one after the other and over again, going on where they stopped. */
class Turns {
  readonly shots: readonly Shot[]
  #next = 0

  constructor(shots: readonly Shot[]) {
    this.shots = shots
  }

  next(): Shot {
    const shot = this.shots[this.#next++ % this.shots.length]
    if (!shot) throw new Error('there are no tenants')
    return shot
  }
}

async function measure(
  { stack, storagePid }: BenchStack,
  turns: Turns,
  { model, calls, seconds, rate }: Pick<Figures, 'model' | 'calls'> & Pick<Options, 'seconds' | 'rate'>,
): Promise<Figures> {
  const tenants = turns.shots.length
  const what = `${model} model, ${calls} calls of ${tenants}`
  const pids = [stack.hostPid(), storagePid()]
  const before = pids.map((pid) => cpuMicroseconds(pid) ?? 0)
  const paced = await paceCalls(turns.shots[0]?.origin ?? '', {
    callsPerSecond: rate,
    seconds,
    shotOf: () => turns.next(),
    onTick: (passed) => progress(what, Math.min(passed, seconds - 1), seconds),
  })
  progress(what, seconds, seconds)
  const [app = 0, storage = 0] = pids.map((pid, i) => (cpuMicroseconds(pid) ?? 0) - (before[i] ?? 0))
  const made = paced.served + paced.failed
  return {
    ...paced,
    model,
    tenants,
    calls,
    cpuMicroseconds: app / made,
    storageCpuMicroseconds: storage / made,
    residentMb: residentMb(stack.hostPid()) ?? 0,
  }
}

function shotOf({ stack }: BenchStack, apiKey: string): Shot {
  const way = waysOf(apiKey, { stack }).find(({ name }) => name === 'whole app')
  if (!way) throw new Error('there is no whole app')
  return way.shot(false)
}

interface Report {
  readonly machine: string
  readonly loadBefore: string
  readonly options: Options
  readonly figures: readonly Figures[]
}

function report({ machine, loadBefore, options, figures }: Report): void {
  const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  const kinds = [...new Set(figures.map(({ model, tenants, calls }) => JSON.stringify({ model, tenants, calls })))]
  const lines = kinds.map((kind) => {
    const { model, tenants, calls } = JSON.parse(kind) as Pick<Figures, 'model' | 'tenants' | 'calls'>
    const these = figures.filter((f) => f.model === model && f.tenants === tenants && f.calls === calls)
    const few = figures.filter((f) => f.model === model && f.tenants === options.few && f.calls === 'later')
    const [p50Ms, p99Ms] = [medianOf(these, (f) => f.p50Ms), medianOf(these, (f) => f.p99Ms)]
    const times = (ms: number, of: (f: Figures) => number) => (ms / medianOf(few, of)).toFixed(2)
    const ratios = few.length > 0 ? [times(p50Ms, (f) => f.p50Ms), times(p99Ms, (f) => f.p99Ms)] : ['', '']
    const sum = (of: (f: Figures) => number) => these.reduce((total, f) => total + of(f), 0)
    const cost = [medianOf(these, (f) => f.cpuMicroseconds), medianOf(these, (f) => f.storageCpuMicroseconds)]
    const counts = [sum((f) => f.served), sum((f) => f.failed)]
    const memory = Math.max(...these.map((f) => f.residentMb))
    const p95Ms = medianOf(these, (f) => f.p95Ms)
    const ms = [p50Ms, p95Ms, p99Ms].map((value) => value.toFixed(1))
    return row([model, tenants, calls, ...counts, ...ms, ...ratios, ...cost.map(Math.round), memory])
  })
  const heads = ['model', 'tenants', 'calls', 'served', 'failed', 'p50 ms', 'p95 ms', 'p99 ms']
  const tails = ['p50 × few', 'p99 × few', 'app cpu µs', 'storage cpu µs', 'memory MB']
  process.stdout.write(
    [
      '',
      `${machine}; load average before: ${loadBefore}`,
      `${options.rate} calls a second, ${options.rounds} rounds of ${options.seconds} s`,
      '',
      row([...heads, ...tails]),
      row([...heads, ...tails].map((_, i) => (i === 0 || i === 2 ? '---' : '---:'))),
      ...lines,
      '',
    ].join('\n'),
  )
  mkdirSync(dirname(options.json), { recursive: true })
  writeFileSync(options.json, `${JSON.stringify({ machine, loadBefore, options, figures }, null, 2)}\n`)
}

function medianOf(figures: readonly Figures[], of: (f: Figures) => number): number {
  return median(figures.map(of))
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
