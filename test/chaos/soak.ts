/**
 * The storm of chaos.test.ts for as long as one likes, in rounds of a minute: calls of every surface over several instances, clients
 * that leave, faults upstream, kills of the app. After each round the accounts must agree; the first round in which they do not
 * ends it with exit code 1 and the seed that draws the same calls again.
 */
import { parseArgs } from 'node:util'
import { progress } from '../../bench/machine'
import startAzurite from '../harness/start-azurite'
import stopAzurite from '../harness/stop-azurite'
import { startTestStack } from '../harness/stack'
import { agree, type Agreement } from './agreement'
import { buildTown, seeded, storm } from './storm'

const HELP = `Shows that under disconnects, faults and kills no usage is lost and none is counted twice.

  --minutes N     rounds of a minute each, 1 to 60      (5)
  --instances N   processes of the app, 1 to 4          (2)
  --workers N     clients at once, 1 to 200             (24)
  --kill-every N  seconds between kills, 0 for none     (7)
  --seed N        of the calls that are drawn           (by the clock)
  --json          figures as JSON
  --help
`

const ROUND_MS = 60_000
/** The simulator's ledger and the log are read whole after every round. */
const MINUTES_MAX = 60

interface Options {
  readonly minutes: number
  readonly instances: number
  readonly workers: number
  readonly killEverySeconds: number
  readonly seed: number
  readonly json: boolean
}

function readOptions(): Options | undefined {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: {
      minutes: text('5'),
      instances: text('2'),
      workers: text('24'),
      'kill-every': text('7'),
      seed: text(String(Date.now() % 1_000_000)),
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const whole = (name: 'minutes' | 'instances' | 'workers' | 'kill-every' | 'seed', least: number, most: number) => {
    const number = Number(values[name])
    if (Number.isInteger(number) && number >= least && number <= most) return number
    throw new Error(`--${name} must be a whole number from ${least} to ${most}`)
  }
  return {
    minutes: whole('minutes', 1, MINUTES_MAX),
    instances: whole('instances', 1, 4),
    workers: whole('workers', 1, 200),
    killEverySeconds: whole('kill-every', 0, ROUND_MS / 1_000),
    seed: whole('seed', 0, Number.MAX_SAFE_INTEGER),
    json: values.json,
  }
}

async function main(): Promise<number> {
  const options = readOptions()
  if (!options) {
    process.stdout.write(HELP)
    return 0
  }
  await startAzurite()
  const stack = await startTestStack()
  try {
    const rounds = await soak(stack, options)
    process.stdout.write(options.json ? `${JSON.stringify({ ...options, rounds }, null, 2)}\n` : table(rounds, options))
    return rounds.every(({ disagreements }) => disagreements.length === 0) ? 0 : 1
  } finally {
    await stack.stop()
    await stopAzurite()
  }
}

async function soak(stack: Awaited<ReturnType<typeof startTestStack>>, options: Options): Promise<Agreement[]> {
  const town = await buildTown(stack, options.instances)
  const chance = seeded(options.seed)
  const rounds: Agreement[] = []
  const seconds = (options.minutes * ROUND_MS) / 1_000
  for (let round = 0; round < options.minutes; round++) {
    const weather = await storm(town, {
      forMs: ROUND_MS,
      workers: options.workers,
      killEveryMs: options.killEverySeconds * 1_000,
      chance,
      onProgress: (elapsedMs) =>
        progress('seconds', Math.min(seconds - 1, Math.round((round * ROUND_MS + elapsedMs) / 1_000)), seconds),
    })
    const agreement = await agree(town, weather, options.workers)
    rounds.push(agreement)
    if (agreement.disagreements.length > 0) break
  }
  progress('seconds', seconds, seconds)
  return rounds
}

function table(rounds: readonly Agreement[], { seed }: Options): string {
  const columns = ['calls', 'interrupted', 'failed', 'estimated', 'unsettled', 'kills'] as const
  const lines = rounds.map((round, i) => {
    const completed = Object.values(round.completed).reduce((sum, count) => sum + count, 0)
    const statuses = Object.entries(round.statuses).map(([status, count]) => `${status}: ${count}`)
    const cells = [
      i + 1,
      completed,
      ...columns.map((name) => round[name]),
      statuses.join(', '),
      round.disagreements.length,
    ]
    return `| ${cells.join(' | ')} |`
  })
  const faults = rounds.flatMap(({ disagreements }) => disagreements).slice(0, 50)
  return [
    `seed ${seed}`,
    `| minute | completed | ${columns.join(' | ')} | answers by status | disagreements |`,
    `| ---: | ---: |${columns.map(() => ' ---: |').join('')} --- | ---: |`,
    ...lines,
    ...faults,
    '',
  ].join('\n')
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
