/**
 * Many streams at once through one process for a minute, and whether any of them stalls: the time between the pieces of each.
 * The same streams are read straight from the simulator in turns with it, which shows what machine, simulator and tool can do
 * at all; and beside the streams through the app a few more go straight to the simulator at the same time, whose gaps are the
 * simulator's own (and the tool's) at that time. Also what memory the process takes.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { quantile, runLoad, type Shot } from './load'
import { cpuMicroseconds, loadAverage, machine, machineTicks, progress, residentMb } from './machine'
import { configureSimulator, startBenchStack, waysOf, type Way } from './setup'
import { quantileOfCounts, watchStreams, type StreamWatch } from './watch-streams'

const HELP = `Measures whether streams stall when there are many.

  --streams N    streams at once                                        (1000)
  --seconds N    how long they are watched, in each round               (60)
  --rounds N     rounds; in each the ways take turns                    (1)
  --rate N       tokens a second of each stream                         (50)
  --tokens N     length of an answer, after which another follows       (500)
  --quick        100 streams for 5 s, to try the script
  --json FILE    where the figures go                                   (.local/bench/streams.json)
  --help
`

interface Options {
  readonly streams: number
  readonly seconds: number
  readonly rounds: number
  readonly rate: number
  readonly tokens: number
  readonly json: string
}

/** The ways that stream; the others say nothing of stalls. */
const WAYS = ['direct', 'whole app']
const FIRST_TOKEN_MS = 300
/** Of the streams through the app: so many more beside them are the simulator's own. */
const CONTROL_SHARE = 0.05
/** So long under load, streaming and not, until the compiler is done: its memory is not the streams'. */
const WARM_UP_MS = 5_000
const WARM_UP_CONNECTIONS = 32

interface Figures {
  readonly way: string
  readonly round: number
  readonly gapMs: Quantiles
  /** Of the streams' longest gaps. */
  readonly longestMs: Quantiles
  /** The same of the streams straight from the simulator at the same time. */
  readonly controlMs: Quantiles | undefined
  readonly eventsPerSecond: number
  readonly answers: number
  readonly errors: StreamWatch['errors']
  /** Of the way's process: before the streams, and the most while they ran. */
  readonly residentMb: { readonly before: number; readonly most: number } | undefined
  /** Share of one processor that the way's process took. */
  readonly cpu: number | undefined
  readonly cpuMicrosecondsPerEvent: number | undefined
  /** Share of all processors that were busy, whoever's work it was. */
  readonly machineBusy: number | undefined
  /** How late timers of the tool itself ran: what it cannot tell from a stall. */
  readonly toolLateMs: number
}

interface Quantiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

async function main(): Promise<void> {
  const options = readOptions()
  if (!options) return void process.stdout.write(HELP)
  const loadBefore = loadAverage()
  const bench = await startBenchStack()
  try {
    const ways = waysOf(bench.apiKey, { stack: bench.stack }).filter(({ name }) => WAYS.includes(name))
    for (const way of ways) await warmUp(way)
    await configureSimulator({
      latency: { firstTokenMs: FIRST_TOKEN_MS, tokensPerSecond: options.rate, jitter: 0 },
      output: { tokensMin: options.tokens, tokensMax: options.tokens },
    })
    const figures: Figures[] = []
    const direct = ways.find(({ name }) => name === 'direct')
    for (let round = 1; round <= options.rounds; round++)
      for (const way of ways) figures.push(await measure(way, way === direct ? undefined : direct, { round, options }))
    report({ machine: machine(), loadBefore, options, figures })
  } finally {
    await bench.stop()
  }
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      streams: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '60' },
      rounds: { type: 'string', default: '1' },
      rate: { type: 'string', default: '50' },
      tokens: { type: 'string', default: '500' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string', default: '.local/bench/streams.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    streams: values.quick ? 100 : Number(values.streams),
    seconds: values.quick ? 5 : Number(values.seconds),
    rounds: Number(values.rounds),
    rate: Number(values.rate),
    tokens: Number(values.tokens),
    json: values.json,
  }
}

async function warmUp(way: Way): Promise<void> {
  await runLoad(way.shot(false), WARM_UP_CONNECTIONS, WARM_UP_MS)
  await runLoad(way.shot(true), WARM_UP_CONNECTIONS, WARM_UP_MS)
}

async function measure(
  way: Way,
  control: Way | undefined,
  { round, options }: { round: number; options: Options },
): Promise<Figures> {
  const { streams, seconds, rate, tokens } = options
  const what = `${way.name}, round ${round}`
  const pid = way.pid()
  const before = residentMb(pid)
  let most = before ?? 0
  const onTick = (watched: number) => {
    most = Math.max(most, residentMb(pid) ?? 0)
    progress(what, Math.min(watched, seconds - 1), seconds)
  }
  const late = monitorEventLoopDelay({ resolution: 10 })
  const use = new ProcessorUse(pid)
  const onBegin = () => {
    late.enable()
    use.begin()
  }
  const onEnd = () => {
    late.disable()
    use.end()
  }
  const opening = { seconds, openingMs: FIRST_TOKEN_MS + (tokens / rate) * 1_000 }
  const watching = watchStreams(asking(tokens, way.shot(true)), { ...opening, streams, onTick, onBegin, onEnd })
  const unheard = { onTick: nothing, onBegin: nothing, onEnd: nothing }
  const beside = { ...opening, ...unheard, streams: Math.ceil(streams * CONTROL_SHARE) }
  const controls = control && (await watchStreams(asking(tokens, control.shot(true)), beside))
  const watch = await watching
  progress(what, seconds, seconds)
  return {
    ...figuresOf(watch),
    way: way.name,
    round,
    controlMs: controls && quantilesOf(controls.longestGapMs),
    residentMb: before === undefined ? undefined : { before, most },
    cpu: use.share,
    cpuMicrosecondsPerEvent: use.microseconds && use.microseconds / watch.events,
    machineBusy: use.machineBusy,
    toolLateMs: late.percentile(99) / 1e6,
  }
}

/** What a process and the whole machine took between two moments. */
class ProcessorUse {
  readonly #pid: number | undefined
  #begun: Reading | undefined
  #ended: Reading | undefined

  constructor(pid: number | undefined) {
    this.#pid = pid
  }

  begin(): void {
    this.#begun = readingOf(this.#pid)
  }

  end(): void {
    this.#ended = readingOf(this.#pid)
  }

  get microseconds(): number | undefined {
    const [from, to] = [this.#begun?.microseconds, this.#ended?.microseconds]
    return from === undefined || to === undefined ? undefined : to - from
  }

  /** Of one processor. */
  get share(): number | undefined {
    const tookMs = (this.#ended?.atMs ?? 0) - (this.#begun?.atMs ?? 0)
    return this.microseconds === undefined ? undefined : this.microseconds / (tookMs * 1_000)
  }

  get machineBusy(): number | undefined {
    const [from, to] = [this.#begun?.machine, this.#ended?.machine]
    return from && to && (to.busy - from.busy) / (to.all - from.all)
  }
}

type Reading = ReturnType<typeof readingOf>

const readingOf = (pid: number | undefined) => ({
  atMs: performance.now(),
  microseconds: cpuMicroseconds(pid),
  machine: machineTicks(),
})

const nothing = () => {}

const asking = (tokens: number, shot: Shot): Shot => ({
  ...shot,
  body: shot.body.replace('"max_tokens":64', `"max_tokens":${tokens}`),
})

function figuresOf({ gapsByMs, longestGapMs, events, answers, errors, seconds }: StreamWatch) {
  return {
    gapMs: {
      p50: quantileOfCounts(gapsByMs, 0.5),
      p99: quantileOfCounts(gapsByMs, 0.99),
      max: quantileOfCounts(gapsByMs, 1),
    },
    longestMs: quantilesOf(longestGapMs),
    eventsPerSecond: events / seconds,
    answers,
    errors,
  }
}

function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b)
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) }
}

const errorsOf = ({ errors }: Figures) => Object.values(errors).reduce((sum, count) => sum + count, 0)

interface Report {
  readonly machine: string
  readonly loadBefore: string
  readonly options: Options
  readonly figures: readonly Figures[]
}

function report({ machine, loadBefore, options, figures }: Report): void {
  const ownGapMs = 1_000 / options.rate
  const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  const percent = (share: number | undefined) => (share === undefined ? '' : `${Math.round(100 * share)} %`)
  const whole = (ms: number) => ms.toFixed(0)
  const heads = ['gap p50 ms', 'p99', 'longest of a stream p50 ms', 'p99', "simulator's own p99", 'stall at p99 ms']
  const tails = [
    'events/s',
    'errors',
    'memory MB before',
    'most',
    'cpu',
    'cpu µs an event',
    'machine busy',
    'tool late p99 ms',
  ]
  const rows = figures.map((f) => {
    // Where nothing else was read beside it, only the gap that the simulator means to leave is its own.
    const stallMs = Math.max(0, f.longestMs.p99 - (f.controlMs?.p99 ?? ownGapMs))
    const gaps = [f.gapMs.p50, f.gapMs.p99, f.longestMs.p50, f.longestMs.p99].map(whole)
    const own = f.controlMs ? whole(f.controlMs.p99) : ''
    const memory = f.residentMb ? [f.residentMb.before, f.residentMb.most] : ['', '']
    const perEvent = f.cpuMicrosecondsPerEvent?.toFixed(1) ?? ''
    const use = [percent(f.cpu), perEvent, percent(f.machineBusy), whole(f.toolLateMs)]
    return row([f.way, f.round, ...gaps, own, whole(stallMs), whole(f.eventsPerSecond), errorsOf(f), ...memory, ...use])
  })
  const { streams, seconds, rate, tokens } = options
  process.stdout.write(
    [
      '',
      `${machine}; load average before: ${loadBefore}`,
      `${streams} streams of ${rate} tokens/s for ${seconds} s, answers of ${tokens} tokens; the simulator means to leave ${whole(ownGapMs)} ms between two`,
      '',
      row(['way', 'round', ...heads, ...tails]),
      row(['---', ...Array<string>(1 + heads.length + tails.length).fill('---:')]),
      ...rows,
      '',
    ].join('\n'),
  )
  mkdirSync(dirname(options.json), { recursive: true })
  writeFileSync(options.json, `${JSON.stringify({ machine, loadBefore, options, figures }, null, 2)}\n`)
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
