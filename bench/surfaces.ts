/**
 * What each surface and each option costs beside plain chat: the processor time of the app for one call, and what the app adds
 * to the simulator's own time. Every one is measured in turns with the plain chat call next to it (whole or streamed, as it
 * is itself), round after round; figures are medians of rounds, and ratios are of neighbours.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { platformClient, type PlatformClient } from '../local/platform-client'
import { SIMULATOR_KEY } from '../local/stack'
import { quantile, runLoad, type LoadResult, type Shot } from './load'
import { cpuMicroseconds, loadAverage, machine, progress } from './machine'
import { optionTenants, type OptionTenant } from './option-tenants'
import { benchTenant, configureDeployments, makeBackend, PORTS, startBenchStack, type BenchStack } from './setup'
import { shotAt, surfaces, type Surface } from './surface-shots'

const HELP = `Measures what surfaces and options cost beside plain chat.

  --rounds N       rounds, whose median counts                          (3)
  --seconds N      length of each measurement                           (2)
  --connections N  calls at once                                        (16)
  --only TEXT      what has this in its name
  --quick          one round of 1 s, to try the script
  --json FILE      where the figures go                                 (.local/bench/surfaces.json)
  --help
`

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly only: string
  readonly json: string
}

/** What is measured beside plain chat. */
interface Subject {
  readonly kind: 'surface' | 'option'
  readonly name: string
  readonly shot: Shot
  readonly plain: Shot
  /** The same call straight to the simulator. */
  readonly direct: Shot | undefined
}

interface Measured extends LoadResult {
  readonly cpuMicroseconds: number
}

interface Round {
  readonly subject: Measured
  readonly plain: Measured
  readonly directP50Ms: number | undefined
}

interface Figures extends Pick<Subject, 'kind' | 'name'> {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  /** To the simulator's own time for the same call. */
  readonly addedMs: number | undefined
  readonly cpuMicroseconds: number
  /** Against plain chat. */
  readonly cpuTimes: number
  readonly p50Times: number
  readonly errors: number
}

const APP = `http://127.0.0.1:${PORTS.app}`
const SIMULATOR = `http://127.0.0.1:${PORTS.simulator}`
const WARM_UP_MS = 2_000

async function main(): Promise<void> {
  const options = readOptions()
  if (!options) return void process.stdout.write(HELP)
  const loadBefore = loadAverage()
  const bench = await startBenchStack()
  try {
    const all = await subjectsOf(bench)
    const subjects = all.filter(({ name }) => name.includes(options.only))
    const figures = await measureAll(bench, subjects, options)
    report({ machine: machine(), loadBefore, options, figures })
  } finally {
    await bench.stop()
  }
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      connections: { type: 'string', default: '16' },
      only: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string', default: '.local/bench/surfaces.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { quick, only, json } = values
  const connections = Number(values.connections)
  return {
    rounds: quick ? 1 : Number(values.rounds),
    seconds: quick ? 1 : Number(values.seconds),
    connections,
    only,
    json,
  }
}

async function subjectsOf(bench: BenchStack): Promise<Subject[]> {
  const platform = platformClient(bench.stack.baseUrl, bench.stack.operatorToken)
  const deployments = [...new Map(surfaces.map((surface) => [surface.deployment, surface])).values()]
  await configureDeployments(
    Object.fromEntries(
      deployments.map(({ deployment, model }) => [
        deployment,
        { model: model.version, output: { tokensMin: 32, tokensMax: 32 } },
      ]),
    ),
  )
  const aliases = await Promise.all(
    deployments.map(async (surface) => aliasOf(surface, await makeBackend(platform, surface.deployment))),
  )
  const { apiKey, tenantId } = await platform.onboard(benchTenant(bench.backendId))
  // Later than the onboarding, whose validation knows calls of chat and embeddings only.
  await platform.patch(`/tenants/${tenantId}`, { aliases })
  const [whole, stream] = surfaces
  if (!whole || !stream) throw new Error('there is no plain chat')
  const plainOf = (isStream: boolean) => shotAt(APP, apiKey, isStream ? stream : whole)

  const ofSurfaces = surfaces.map((surface): Subject => ({
    kind: 'surface',
    name: surface.name,
    shot: shotAt(APP, apiKey, surface),
    plain: plainOf(surface.isStream),
    direct: shotAt(SIMULATOR, SIMULATOR_KEY, surface),
  }))
  const chatBackends = aliases[0]?.groups[0]?.members.map(({ backendId }) => backendId) ?? []
  const ofOptions: Subject[] = []
  for (const option of optionTenants) {
    const key = await onboardWith(platform, option, { aliases, chatBackends })
    const shot = shotAt(APP, key, option.isStream ? stream : whole)
    ofOptions.push({ kind: 'option', name: option.name, shot, plain: plainOf(option.isStream), direct: undefined })
    progress('tenants', ofOptions.length, optionTenants.length)
  }
  return [...ofSurfaces, ...ofOptions]
}

const aliasOf = ({ deployment, model, capability }: Surface, backendId: string) => ({
  name: deployment,
  model: model.name,
  capabilities: [capability],
  groups: [{ members: [{ backendId }] }],
})

async function onboardWith(
  platform: PlatformClient,
  { name, change }: OptionTenant,
  { aliases, chatBackends }: { aliases: readonly ReturnType<typeof aliasOf>[]; chatBackends: readonly string[] },
): Promise<string> {
  const [chat] = aliases
  const [backendId = ''] = chatBackends
  if (!chat) throw new Error('there is no alias for chat')
  const others = () => makeBackend(platform, chat.name)
  const tenant = { ...benchTenant(backendId), displayName: name.slice(0, 64), aliases: [chat] }
  return (await platform.onboard(await change(tenant, others))).apiKey
}

async function measureAll(bench: BenchStack, subjects: readonly Subject[], options: Options): Promise<Figures[]> {
  const { rounds, connections } = options
  for (const subject of subjects) {
    await checkAnswers(subject)
    await runLoad(subject.shot, connections, WARM_UP_MS)
  }
  const seen = new Map<Subject, Round[]>(subjects.map((subject) => [subject, []]))
  let done = 0
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      // Which of the two is first changes, so that what drifts favours neither.
      const inTurn = round % 2 === 0 ? [subject.shot, subject.plain] : [subject.plain, subject.shot]
      const measured: Measured[] = []
      for (const shot of inTurn) measured.push(await measure(bench, shot, options))
      const [one, other] = round % 2 === 0 ? measured : measured.toReversed()
      const direct = subject.direct && (await runLoad(subject.direct, connections, options.seconds * 500))
      if (one && other) seen.get(subject)?.push({ subject: one, plain: other, directP50Ms: direct?.p50Ms })
      progress('surfaces and options', ++done, rounds * subjects.length)
    }
  }
  return subjects.map((subject) => figuresOf(subject, seen.get(subject) ?? []))
}

/** Figures of refusals would look good. */
async function checkAnswers({ name, shot }: Subject): Promise<void> {
  const { origin, path, headers, body } = shot
  const answer = await fetch(origin + path, { method: 'POST', headers, body })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`"${name}" was answered with ${answer.status}: ${text.slice(0, 1_000)}`)
}

async function measure({ stack }: BenchStack, shot: Shot, { connections, seconds }: Options): Promise<Measured> {
  const pid = stack.hostPid()
  const before = cpuMicroseconds(pid) ?? 0
  const result = await runLoad(shot, connections, seconds * 1_000)
  const cpu = (cpuMicroseconds(pid) ?? 0) - before
  return { ...result, cpuMicroseconds: cpu / Math.max(1, result.requestsPerSecond * seconds) }
}

function figuresOf({ kind, name }: Subject, rounds: readonly Round[]): Figures {
  const median = (of: (round: Round) => number) =>
    quantile(
      rounds.map(of).sort((a, b) => a - b),
      0.5,
    )
  const hasDirect = rounds.every(({ directP50Ms }) => directP50Ms !== undefined)
  return {
    kind,
    name,
    requestsPerSecond: median(({ subject }) => subject.requestsPerSecond),
    p50Ms: median(({ subject }) => subject.p50Ms),
    addedMs: hasDirect ? median(({ subject, directP50Ms = 0 }) => subject.p50Ms - directP50Ms) : undefined,
    cpuMicroseconds: median(({ subject }) => subject.cpuMicroseconds),
    cpuTimes: median(({ subject, plain }) => subject.cpuMicroseconds / plain.cpuMicroseconds),
    p50Times: median(({ subject, plain }) => subject.p50Ms / plain.p50Ms),
    errors: rounds.reduce((sum, { subject }) => sum + subject.errors, 0),
  }
}

interface Report {
  readonly machine: string
  readonly loadBefore: string
  readonly options: Options
  readonly figures: readonly Figures[]
}

function report({ machine, loadBefore, options, figures }: Report): void {
  const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  const heads = ['requests/s', 'p50 ms', 'p50 × plain', 'added ms', 'cpu µs', 'cpu × plain', 'errors']
  const table = (kind: Figures['kind']) => [
    row([kind, ...heads]),
    row(['---', ...heads.map(() => '---:')]),
    ...figures
      .filter((f) => f.kind === kind)
      .map((f) => {
        const latency = [f.p50Ms.toFixed(2), f.p50Times.toFixed(2), f.addedMs?.toFixed(2) ?? '']
        const cpu = [Math.round(f.cpuMicroseconds), f.cpuTimes.toFixed(2)]
        return row([f.name, Math.round(f.requestsPerSecond), ...latency, ...cpu, f.errors])
      }),
    '',
  ]
  const lines = [
    '',
    `${machine}; load average before: ${loadBefore}`,
    `${options.connections} connections, ${options.rounds} rounds of ${options.seconds} s`,
    '',
    ...table('surface'),
    ...table('option'),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
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
