/**
 * What each way to the model costs beyond the model: direct, through a bare proxy, through our `serve` on `node:http`,
 * through our whole app on the local Functions host, and through Portkey's gateway, all against the same simulator.
 *
 * First run: the simulator answers at once; requests a second, latency and memory at 1 and 32 connections, streaming and
 * not. The ways take turns second by second, since a shared machine is now half as fast, now twice; figures are medians of rounds, and
 * ratios medians of the ratios within each round.
 * Second run: 300 ms to the first token and 50 tokens a second on 200 streams at once; what is added to both.
 */
import { parseArgs } from 'node:util'
import { ascending, median, quantile, runLoad, runStreams, type Shot, type StreamTimes } from './load'
import { cpuMicroseconds, machine, progress, residentMb } from './machine'
import { CELLS, report, type Cell, type StreamFigures } from './overhead-report'
import { configureSimulator, startBenchStack, startPeers, waysOf, type Way } from './setup'

const HELP = `Measures what the gateway adds. Needs bench/node_modules (npm run bench installs them).

  --rounds N      rounds of the first run, whose median counts          (15)
  --seconds N     length of each measurement                            (1)
  --streams N     streams at once in the second run                     (200)
  --quick         two rounds of 1 s and 50 streams, to try the script
  --json FILE     where the figures go                                  (.local/bench/overhead.json)
  --help
`

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly streams: number
  readonly json: string
}

async function main(): Promise<void> {
  const options = readOptions()
  if (!options) return void process.stdout.write(HELP)
  const bench = await startBenchStack()
  const peers = await startPeers(bench.stateFolder)
  try {
    const ways = waysOf(bench.apiKey, { stack: bench.stack, ...peers })
    const overhead = await measureOverhead(ways, options)
    const streams = await measureStreams(ways, options)
    report({ machine: machine(), date: new Date().toISOString().slice(0, 10), overhead, streams }, options.json)
  } finally {
    for (const child of Object.values(peers)) child.kill('SIGTERM')
    await bench.stop()
  }
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '15' },
      seconds: { type: 'string', default: '1' },
      streams: { type: 'string', default: '200' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string', default: '.local/bench/overhead.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  if (values.quick) return { rounds: 2, seconds: 1, streams: 50, json: values.json }
  return {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    streams: Number(values.streams),
    json: values.json,
  }
}

/** Long enough for the just-in-time compiler to be done with all of them. */
const WARM_UP_MS = 10_000

async function measureOverhead(ways: readonly Way[], { rounds, seconds }: Options): Promise<Cell[]> {
  const results: Measured[] = []
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
          round,
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
  return CELLS.flatMap(({ connections, stream }) => {
    const ofCell = results.filter((r) => r.connections === connections && r.stream === stream)
    return ways.map(({ name }) => figuresOf(name, ofCell))
  })
}

type Measured = Omit<Cell, 'times'> & { readonly round: number }

function figuresOf(way: string, ofAll: readonly Measured[]): Cell {
  const cells = ofAll.filter((cell) => cell.way === way)
  const medianOf = (pick: (cell: Measured) => number) => median(cells.map(pick))
  const times = (base: string) =>
    medianOf(({ round, requestsPerSecond }) => {
      const other = ofAll.find((cell) => cell.way === base && cell.round === round)
      return requestsPerSecond / (other?.requestsPerSecond ?? NaN)
    })
  const [first] = cells
  if (!first) throw new Error('no measurement')
  const { connections, stream } = first
  return {
    way,
    connections,
    stream,
    times: { portkey: times('Portkey'), bareProxy: times('bare proxy') },
    requestsPerSecond: medianOf((c) => c.requestsPerSecond),
    p50Ms: medianOf((c) => c.p50Ms),
    p99Ms: medianOf((c) => c.p99Ms),
    errors: cells.reduce((sum, c) => sum + c.errors, 0),
    residentMb: Math.max(...cells.map((c) => c.residentMb ?? 0)) || undefined,
    cpuMicroseconds: medianOf((c) => c.cpuMicroseconds ?? 0) || undefined,
  }
}

/** In turns as well, and medians of them: what disturbs the machine for some seconds is then no single way's, and no figure. */
const STREAM_TURNS = 5

async function measureStreams(ways: readonly Way[], { streams }: Options): Promise<StreamFigures[]> {
  await configureSimulator({
    latency: { firstTokenMs: 300, tokensPerSecond: 50, jitter: 0 },
    output: { tokensMin: 100, tokensMax: 100 },
  })
  const long = (shot: Shot): Shot => ({ ...shot, body: shot.body.replace('"max_tokens":64', '"max_tokens":200') })
  const measured = ways.map((way) => ({ way, turns: [] as StreamTimes[] }))
  for (let turn = 0; turn < STREAM_TURNS; turn++) {
    for (const [i, { way, turns }] of measured.entries()) {
      // Spread over the time of one stream, so that at any moment streams begin, run and end.
      turns.push(await runStreams(long(way.shot(true)), streams, 4, 2_300))
      progress(`${streams} streams`, turn * ways.length + i + 1, STREAM_TURNS * ways.length)
    }
  }
  return measured.map(({ way, turns }) => {
    const overTurns = (times: (turn: StreamTimes) => readonly number[], share: number) =>
      median(turns.map((turn) => quantile(ascending(times(turn)), share)))
    const spread = (times: (turn: StreamTimes) => readonly number[]) => ({
      p50: overTurns(times, 0.5),
      p99: overTurns(times, 0.99),
    })
    return {
      way: way.name,
      firstByteMs: spread((turn) => turn.firstByteMs),
      totalMs: spread((turn) => turn.totalMs),
      errors: turns.reduce((sum, turn) => sum + turn.errors, 0),
    }
  })
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
