/**
 * How well noisy neighbours are found: weeks of synthetic traffic (noisy-week.ts) through the same pure functions that the timer
 * calls, minute by minute, with the tenants' normals learned as they are learned there. One week of history, one week judged. Some
 * seeds were looked at while the detection was written; others were held out, and are reported by themselves.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { BackendId } from '../src/base/ids'
import { BackendWatch, excessOf, type BackendView } from '../src/neighbours/backend-watch'
import { climbLadder, type Ladder } from '../src/neighbours/climb-ladder'
import { expectedAt } from '../src/neighbours/expected'
import { findNoisyNeighbours, type Evidence } from '../src/neighbours/find-noisy-neighbours'
import { minuteFigures, type MinuteFigures } from '../src/neighbours/minute-figures'
import { defaultPolicy } from '../src/neighbours/noisy-policy'
import {
  encodePoolNormal,
  learnHour,
  LOAD_MINUTES,
  newPoolNormal,
  type PoolNormal,
} from '../src/neighbours/pool-normal'
import { poolsOf, type Pool } from '../src/neighbours/pools'
import { standingOf } from '../src/neighbours/standing'
import { machine, progress } from './machine'
import {
  makeWorld,
  MINUTE_MS,
  START_MS,
  TENANTS,
  Traffic,
  WEEK_MINUTES,
  type Episode,
  type EpisodeKind,
  type SyntheticTenant,
  type TenantMinute,
} from './noisy-week'

const HELP = `Measures precision, recall and delay of finding noisy neighbours.

  --seeds LIST     seeds that the detection was written with          (1,2,3)
  --held-out LIST  seeds that it was not                              (201,202,203)
  --days N         days that are judged, after a week of history      (7)
  --json FILE      where the figures go                               (.local/bench/noisy.json)
  --verbose        each miss and wrong finding, and by what it was found
  --help

Exits with 1 where precision or recall of a seed is below 0.95.
`

const HOUR_MINUTES = 60
/** Calls of a tenant in a minute whose times are drawn one by one. */
const SAMPLES_MAX = 16
const SAMPLES_OF_HISTORY = 4
const DELAY_MINUTES_MAX = 3
/** What is found so long after an episode is still of it: queues drain, and a middle minute lags. */
const AFTERMATH_MINUTES = 5
const TARGET = 0.95

interface Found {
  readonly tenant: SyntheticTenant
  /** Minutes of the week, the end of the one that was judged. */
  readonly atMinute: number
  readonly evidence: Evidence | undefined
  /** By what it was weighed at each backend. */
  readonly weighed: readonly Weighed[]
}

interface Weighed {
  /** Tokens a minute: what is typical of the tenant; of all at the backend; more than usual, its own and all tenants'. */
  readonly typical: number
  readonly loadOfAll: number
  readonly excess: number
  readonly excessOfAll: number
  /** How many times what is typical of them the others use; and how many of their calls there were. */
  readonly rush: number
  readonly calls: number
}

interface Score {
  readonly seed: number
  readonly episodes: readonly Episode[]
  readonly found: readonly Found[]
  /** Of one minute's look at all tenants, in the mean; and of the largest stored normal. */
  readonly lookMs: number
  readonly normalBytes: number
}

/** One tenant as the timer would know it. */
interface Watched {
  readonly tenant: SyntheticTenant
  readonly pool: Pool
  readonly normal: PoolNormal
  hour: MinuteFigures[]
  recent: {
    readonly minute: number
    readonly fresh: readonly MinuteFigures[]
    readonly settled: readonly MinuteFigures[]
  }[]
  ladder: Ladder | undefined
  wasNoisy: boolean
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1,2,3' },
      'held-out': { type: 'string', default: '201,202,203' },
      days: { type: 'string', default: '7' },
      json: { type: 'string', default: '.local/bench/noisy.json' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(HELP)
  const minutes = Number(values.days) * 24 * 60
  const numbers = (list: string) => list.split(',').filter(Boolean).map(Number)
  const known = numbers(values.seeds)
  const scores = await replayAll([...known, ...numbers(values['held-out'])], minutes)
  const own = scores.slice(0, known.length)
  const heldOut = scores.slice(known.length)
  const rows = [...own.map(figuresOf), ...heldOut.map(figuresOf)]
  const totals = [
    { seeds: 'all known', ...figuresOf(together(own)) },
    { seeds: 'all held out', ...figuresOf(together(heldOut)) },
  ].filter(({ toFind }) => toFind > 0)
  if (values.verbose) for (const score of [...own, ...heldOut]) tell(score)
  report(rows, totals)
  mkdirSync(dirname(values.json), { recursive: true })
  writeFileSync(values.json, `${JSON.stringify({ machine: machine(), rows, totals }, null, 2)}\n`)
  if (rows.some(({ precision, recall }) => precision < TARGET || recall < TARGET)) process.exitCode = 1
}

interface Task {
  readonly seed: number
  readonly minutes: number
}

type News = { readonly kind: 'hour' } | { readonly kind: 'done'; readonly score: Score }

/** Each seed in a thread of its own, as many at a time as there are processors. In the order of the seeds. */
async function replayAll(seeds: readonly number[], minutes: number): Promise<Score[]> {
  const scores: Score[] = []
  const hours = seeds.length * Math.floor((WEEK_MINUTES + minutes) / HOUR_MINUTES)
  let done = 0
  const waiting = [...seeds.entries()]
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [at, seed] = next
      scores[at] = await inThread({ seed, minutes }, () => progress('weeks', (done += 1), hours))
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return scores
}

const inThread = (task: Task, onHour: () => void): Promise<Score> =>
  new Promise((finished, failed) => {
    const worker = new Worker(__filename, { workerData: task })
    worker.on('message', (news: News) => (news.kind === 'hour' ? onHour() : finished(news.score)))
    worker.on('error', failed)
    worker.on('exit', (code) => failed(new Error(`the thread of seed ${task.seed} ended with ${code}`)))
  })

function replay({ seed, minutes }: Task, onHour: () => void): Score {
  const world = makeWorld(seed, { fromMinute: WEEK_MINUTES, minutes })
  const traffic = new Traffic(world, seed)
  const watched = world.tenants.map(watchedOf)
  const found: Found[] = []
  let spentMs = 0
  for (let minute = 0; minute < WEEK_MINUTES + minutes; minute++) {
    const isJudged = minute >= WEEK_MINUTES
    const seen = traffic.minute(minute, isJudged ? SAMPLES_MAX : SAMPLES_OF_HISTORY)
    for (const [i, one] of watched.entries()) take(one, seen[i], minute)
    const beganMs = performance.now()
    if (isJudged) found.push(...judge(watched, minute))
    spentMs += performance.now() - beganMs
    if ((minute + 1) % HOUR_MINUTES === 0) for (const one of watched) learn(one, minute + 1 - HOUR_MINUTES)
    if ((minute + 1) % HOUR_MINUTES === 0) onHour()
  }
  const bytes = watched.map(({ normal }) => JSON.stringify(encodePoolNormal(normal)).length)
  return { seed, episodes: world.episodes, found, lookMs: spentMs / minutes, normalBytes: Math.max(...bytes) }
}

function watchedOf(tenant: SyntheticTenant): Watched {
  const members = tenant.backendIds.map((backendId) => ({ backendId, weight: 1 }))
  const alias = {
    name: tenant.alias,
    model: 'gpt-4.1-mini',
    capabilities: ['chat'],
    groups: [{ members }],
    outputTokensMax: 1_000,
    outputTokensField: 'max_tokens',
  } as const
  const [pool] = poolsOf({ aliases: { [tenant.alias]: alias } })
  if (!pool) throw new Error('every tenant has a pool')
  return { tenant, pool, normal: newPoolNormal(START_MS), hour: [], recent: [], ladder: undefined, wasNoisy: false }
}

function take(one: Watched, seen: TenantMinute | undefined, minute: number): void {
  const startMs = START_MS + minute * MINUTE_MS
  const of = (groups: TenantMinute['fresh']) => minuteFigures([one.pool], { startMs, groups }).get(one.pool.id) ?? []
  const settled = of(seen?.settled ?? [])
  one.hour.push(...settled)
  const hasRunning = seen?.fresh.some(({ sums }) => sums.unsettled > 0)
  one.recent.push({ minute, fresh: hasRunning ? of(seen?.fresh ?? []) : settled, settled })
  if (one.recent.length > LOAD_MINUTES) one.recent.shift()
}

/** As the timer does right after the minute; who is found for the first time. */
function judge(watched: readonly Watched[], minute: number): Found[] {
  const endMs = START_MS + (minute + 1) * MINUTE_MS
  const watch = new BackendWatch()
  const byKey = new Map<string, Watched>()
  for (const one of watched) {
    const { id: tenantId, weight, tokensPerMinute } = one.tenant
    byKey.set(tenantId, one)
    // The newest minute's calls have not all ended; those of the others have.
    const minutes = one.recent.flatMap((seen) => (seen.minute === minute ? seen.fresh : seen.settled))
    const { pool, normal } = one
    const expected = expectedAt(normal, endMs - MINUTE_MS)
    watch.add(
      standingOf({ tenantId, pool, weight, tokensPerMinute, minutes, expected }, endMs),
      one.ladder !== undefined,
    )
  }
  const isHeld = ({ tenantId }: { tenantId: string }) => byKey.get(tenantId)?.ladder !== undefined
  const views = watch.views()
  const verdicts = new Map(findNoisyNeighbours(views, isHeld).map((each) => [each.tenantId, each.verdict]))
  return watched.flatMap((one) => {
    const verdict = verdicts.get(one.tenant.id)
    const step = climbLadder(one.ladder, {
      verdict,
      policy: defaultPolicy,
      allowed: 'notify',
      nowMs: endMs,
    })
    const isNew = !one.ladder && step.kind === 'to'
    one.ladder = step.kind === 'over' ? undefined : step.ladder
    one.wasNoisy ||= one.ladder !== undefined
    if (!isNew) return []
    return [
      {
        tenant: one.tenant,
        atMinute: minute + 1,
        evidence: verdict?.evidence,
        weighed: views.flatMap((view) => weighedAt(view, one.tenant)),
      },
    ]
  })
}

const weighedAt = ({ suspects, load, excess, rush, calls }: BackendView, { id }: SyntheticTenant): Weighed[] =>
  suspects
    .filter(({ standing }) => standing.tenantId === id)
    .map((suspect) => ({
      typical: Math.round(suspect.standing.typical),
      loadOfAll: Math.round(load),
      excess: Math.round(excessOf(suspect)),
      excessOfAll: Math.round(excess),
      rush: rush.without(suspect.standing),
      calls: Math.round(calls),
    }))

function learn(one: Watched, fromMinute: number): void {
  const hourStartMs = START_MS + fromMinute * MINUTE_MS
  learnHour(one.normal, { hourStartMs, minutes: one.hour, wasNoisy: one.wasNoisy })
  one.hour = []
  one.wasNoisy = one.ladder !== undefined
}

const isToFind = ({ culprit, harmedFrom }: Episode) => culprit !== undefined && harmedFrom !== undefined

const isOf = ({ culprit, startMinute, minutes }: Episode, { tenant, atMinute }: Found) =>
  culprit === tenant && atMinute > startMinute && atMinute <= startMinute + minutes + AFTERMATH_MINUTES

/** Minutes from the first harm to the finding; undefined where it was not found. */
function delayOf(episode: Episode, found: readonly Found[]): number | undefined {
  const first = found.find((each) => isOf(episode, each))
  return first && Math.max(0, first.atMinute - (episode.harmedFrom ?? 0))
}

function figuresOf({ seed, episodes, found, lookMs, normalBytes }: Score) {
  const toFind = episodes.filter(isToFind)
  const delays = toFind.map((episode) => delayOf(episode, found)).filter((delay) => delay !== undefined)
  const inTime = delays.filter((delay) => delay <= DELAY_MINUTES_MAX).length
  // Whoever is named during an episode of its own that harmed hardly anybody is neither right nor wrong.
  const wrong = found.filter((each) => !episodes.some((episode) => isOf(episode, each)))
  const right = toFind.filter((episode) => delayOf(episode, found) !== undefined).length
  const of = (kind: EpisodeKind) => {
    const some = toFind.filter((episode) => episode.kind === kind)
    return `${some.filter((episode) => (delayOf(episode, found) ?? Infinity) <= DELAY_MINUTES_MAX).length}/${some.length}`
  }
  const during = (kind: EpisodeKind) => wrong.filter((each) => wrongDuring(each, episodes) === kind).length
  return {
    seed,
    toFind: toFind.length,
    floods: of('sudden flood'),
    growths: of('slow growth'),
    found: right,
    inTime,
    wrong: wrong.length,
    wrongInPlatformSlowdown: during('platform slowdown'),
    wrongInBackendSlowdown: during('backend slowdown'),
    wrongInRush: during('rush of all'),
    precision: right + wrong.length > 0 ? right / (right + wrong.length) : 1,
    recall: toFind.length > 0 ? inTime / toFind.length : 1,
    delayMax: delays.length > 0 ? Math.max(...delays) : 0,
    lookMs,
    normalBytes,
  }
}

const wrongDuring = ({ tenant, atMinute }: Found, episodes: readonly Episode[]): EpisodeKind | undefined =>
  episodes.find(
    ({ startMinute, minutes, backendIds }) =>
      atMinute > startMinute &&
      atMinute <= startMinute + minutes + AFTERMATH_MINUTES &&
      backendIds.some((id: BackendId) => tenant.backendIds.includes(id)),
  )?.kind

const together = (scores: readonly Score[]): Score => ({
  seed: 0,
  episodes: scores.flatMap(({ episodes }) => episodes),
  found: scores.flatMap(({ found }) => found),
  lookMs: Math.max(0, ...scores.map(({ lookMs }) => lookMs)),
  normalBytes: Math.max(0, ...scores.map(({ normalBytes }) => normalBytes)),
})

function tell({ seed, episodes, found }: Score): void {
  for (const episode of episodes.filter(isToFind)) {
    const delay = delayOf(episode, found)
    if (delay !== undefined && delay <= DELAY_MINUTES_MAX) continue
    const { kind, culprit, startMinute, minutes, size, harmedFrom } = episode
    process.stdout.write(
      `seed ${seed} missed ${JSON.stringify({ kind, tenant: culprit?.id, startMinute, minutes, size, harmedFrom, delay })}\n`,
    )
  }
  for (const each of found.filter((one) => !episodes.some((episode) => isOf(episode, one)))) {
    const { victims: _victims, ...evidence } = each.evidence ?? { victims: [] }
    const { id, job, base, noise, drift } = each.tenant
    const during = wrongDuring(each, episodes)
    process.stdout.write(
      `seed ${seed} wrong ${JSON.stringify({ tenant: id, at: each.atMinute, base, noise, drift, job, during, ...evidence, weighed: each.weighed })}\n`,
    )
  }
}

type Row = ReturnType<typeof figuresOf> & { readonly seeds?: string }

function report(rows: readonly Row[], totals: readonly Row[]): void {
  const line = (row: Row) =>
    `| ${[row.seeds ?? row.seed, row.toFind, row.floods, row.growths, row.found, row.wrong, row.wrongInPlatformSlowdown, row.wrongInBackendSlowdown, row.wrongInRush, row.precision.toFixed(3), row.recall.toFixed(3), row.delayMax].join(' | ')} |`
  process.stdout.write(
    [
      '',
      machine(),
      '',
      `| seed | to find | floods in ${DELAY_MINUTES_MAX} min | growths in ${DELAY_MINUTES_MAX} min | found | wrong | in platform slowdown | in backend slowdown | in rush | precision | recall in ${DELAY_MINUTES_MAX} min | longest delay, min |`,
      `| --- | ${Array.from({ length: 11 }, () => '---:').join(' | ')} |`,
      ...rows.map(line),
      ...totals.map(line),
      '',
      `One minute's look at ${TENANTS} tenants: ${Math.max(...rows.map(({ lookMs }) => lookMs)).toFixed(1)} ms. A tenant's normal as it is stored: at most ${Math.max(...rows.map(({ normalBytes }) => normalBytes))} bytes.`,
      '',
    ].join('\n'),
  )
}

if (isMainThread) void main()
else {
  const say = (news: News) => parentPort?.postMessage(news)
  say({ kind: 'done', score: replay(workerData as Task, () => say({ kind: 'hour' })) })
}
