/**
 * What one tenant's flood costs the others: the whole app before a model that cannot serve everybody. Five tenants of equal weight;
 * four take a third of their share each, at random, all the time. Their p95 is measured first without the fifth, then while it
 * sends twenty times its share, with the same arrivals. Provisioned throughput and pay-as-you-go refuse by different rules, so each is tried.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { platformClient } from '../local/platform-client'
import { fire, quantile, type Shot } from './load'
import { machine, progress } from './machine'
import { benchTenant, configureSimulator, startBenchStack, waysOf, type BenchStack } from './setup'

const HELP = `Measures what a flood of one tenant costs the others.

  --seconds N    length of each measurement                            (60)
  --settle N     seconds of flood before it is measured                (40)
  --only KIND    provisioned or pay-as-you-go; both by default
  --json FILE    where the figures go                                  (.local/bench/fairness.json)
  --help
`

const OTHERS = 4
const TENANTS = OTHERS + 1
/** Of its share, what each of the others asks for. */
const OTHERS_LOAD = 1 / 3
const FLOOD = 20
const PROMPT_TOKENS = 31
const OUTPUT_TOKENS = 32
const CONNECTIONS_MAX = 2_000
const SEED = 1

interface Capacity {
  readonly name: 'provisioned' | 'pay-as-you-go'
  readonly admission: object
  readonly callsPerSecond: number
}

const UNITS = 25
const INPUT_TOKENS_PER_MINUTE_PER_UNIT = 14_900
const OUTPUT_WEIGHT = 4
const TOKENS_PER_MINUTE = 240_000
/** What each call says it may use; pay-as-you-go counts that, not what is used. */
const OUTPUT_TOKENS_MAX = 64

const capacities: readonly Capacity[] = [
  {
    name: 'provisioned',
    admission: { kind: 'provisioned', units: UNITS },
    callsPerSecond: (UNITS * INPUT_TOKENS_PER_MINUTE_PER_UNIT) / 60 / (PROMPT_TOKENS + OUTPUT_WEIGHT * OUTPUT_TOKENS),
  },
  {
    name: 'pay-as-you-go',
    admission: { kind: 'standard', tokensPerMinute: TOKENS_PER_MINUTE, requestsPerMinute: 1_000_000 },
    callsPerSecond: TOKENS_PER_MINUTE / 60 / (PROMPT_TOKENS + OUTPUT_TOKENS_MAX),
  },
]

interface Figures {
  readonly capacity: string
  readonly callsPerSecond: number
  readonly flood: 'none' | 'at its beginning' | 'later'
  readonly others: Seen
  readonly flooding: Seen
}

interface Seen {
  readonly served: number
  readonly refused: number
  readonly p50Ms: number
  readonly p95Ms: number
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      settle: { type: 'string', default: '40' },
      only: { type: 'string' },
      json: { type: 'string', default: '.local/bench/fairness.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(HELP)
  const [seconds, settle] = [Number(values.seconds), Number(values.settle)]
  const bench = await startBenchStack()
  try {
    const shots = await tenantsOf(bench)
    const figures: Figures[] = []
    for (const capacity of capacities.filter(({ name }) => values.only === undefined || values.only === name)) {
      figures.push(...(await measure(capacity, shots, { seconds, settle })))
    }
    report(figures, values.json)
  } finally {
    await bench.stop()
  }
}

/** One shot for each tenant; the last floods. */
async function tenantsOf(bench: BenchStack): Promise<readonly Shot[]> {
  const platform = platformClient(bench.stack.baseUrl, bench.stack.operatorToken)
  const shots: Shot[] = []
  for (let i = 0; i < TENANTS; i++) {
    const { apiKey } = await platform.onboard({ ...benchTenant(bench.backendId), displayName: `Bench ${i}` })
    const way = waysOf(apiKey, { stack: bench.stack }).find(({ name }) => name === 'whole app')
    if (way) shots.push(way.shot(false))
    progress('tenants', i + 1, TENANTS)
  }
  return shots
}

async function measure(
  { name, admission, callsPerSecond }: Capacity,
  shots: readonly Shot[],
  { seconds, settle }: { seconds: number; settle: number },
): Promise<Figures[]> {
  await configureSimulator({ latency: { firstTokenMs: 300, tokensPerSecond: 100, jitter: 0.2 }, admission })
  const share = callsPerSecond / TENANTS
  const figures: Figures[] = []
  const run = async (flood: Figures['flood'], forSeconds: number) => {
    const [others, flooding] = await load(shots, { share, flood: flood !== 'none', seconds: forSeconds, what: name })
    figures.push({ capacity: name, callsPerSecond, flood, others, flooding })
  }
  await run('none', seconds)
  await run('at its beginning', settle)
  await run('later', seconds)
  return figures
}

interface Load {
  readonly share: number
  readonly flood: boolean
  readonly seconds: number
  readonly what: string
}

async function load(shots: readonly Shot[], { share, flood, seconds, what }: Load): Promise<[Seen, Seen]> {
  const pool = new Pool(shots[0]?.origin ?? '', { connections: CONNECTIONS_MAX, pipelining: 1 })
  const seen = shots.map((): { ms: number; status: number | string }[] => [])
  const sent: Promise<void>[] = []
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1_000

  const arrive = async (shot: Shot, index: number, callsPerSecond: number) => {
    const fraction = seeded(SEED + index)
    let atMs = startedAt
    for (;;) {
      atMs += (-Math.log(1 - fraction()) / callsPerSecond) * 1_000
      if (atMs > endAt) return
      const waitMs = atMs - performance.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      const call = async () => {
        const sentAt = performance.now()
        const status = await fire(pool, shot)
        seen[index]?.push({ ms: performance.now() - sentAt, status })
      }
      sent.push(call())
    }
  }
  const ticks = setInterval(() => progress(what, Math.min(seconds, elapsed(startedAt)), seconds), 1_000)
  const arriving = flood ? shots : shots.slice(0, OTHERS)
  await Promise.all(arriving.map((shot, i) => arrive(shot, i, share * (i < OTHERS ? OTHERS_LOAD : FLOOD))))
  await Promise.all(sent)
  clearInterval(ticks)
  progress(what, seconds, seconds)
  await pool.close()
  return [summary(seen.slice(0, OTHERS).flat()), summary(seen.slice(OTHERS).flat())]
}

const elapsed = (sinceMs: number) => Math.floor((performance.now() - sinceMs) / 1_000)

function summary(calls: readonly { ms: number; status: number | string }[]): Seen {
  const times = calls.filter(({ status }) => status === 200).map(({ ms }) => ms)
  times.sort((a, b) => a - b)
  const refused = calls.length - times.length
  return { served: times.length, refused, p50Ms: quantile(times, 0.5), p95Ms: quantile(times, 0.95) }
}

/** The same arrivals in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function report(figures: readonly Figures[], file: string): void {
  const quiet = (capacity: string) => figures.find((f) => f.capacity === capacity && f.flood === 'none')?.others
  const rise = ({ capacity, others }: Figures, pick: (seen: Seen) => number) => {
    const without = quiet(capacity)
    return without ? `${(100 * (pick(others) / pick(without) - 1)).toFixed(1)} %` : ''
  }
  const rows = figures.map((f) => {
    const { others, flooding } = f
    const cells = [f.capacity, f.flood, others.served, others.refused, others.p50Ms.toFixed(0), others.p95Ms.toFixed(0)]
    const rises = f.flood === 'none' ? ['', ''] : [rise(f, (s) => s.p50Ms), rise(f, (s) => s.p95Ms)]
    return `| ${[...cells, ...rises, flooding.served, flooding.refused].join(' | ')} |`
  })
  process.stdout.write(
    [
      '',
      machine(),
      '',
      '| capacity | flood | others served | refused | p50 ms | p95 ms | p50 rises by | p95 rises by | flood served | refused |',
      '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
      ...rows,
      '',
    ].join('\n'),
  )
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ machine: machine(), figures }, null, 2)}\n`)
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
