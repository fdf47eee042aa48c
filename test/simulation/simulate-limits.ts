/**
 * The promises of limits and budgets, held against many random runs: 1, 2 and 4 real processes that share the rows of tenants whose
 * calls ask for more than they may, with the windows, leases and paces of the product, some processes killed in the middle.
 */
import { parseArgs } from 'node:util'
import { progress } from '../../bench/machine'
import { minuteWindow } from '../../src/limits/window-state'
import { seeded } from '../chaos/storm'
import startAzurite from '../harness/start-azurite'
import stopAzurite from '../harness/stop-azurite'
import { spend, type SpendResult } from './budgets/spend'
import { bundle } from './bundle'
import { race, type RaceResult } from './limits/race'

const HELP = `Shows that limits and budgets over several processes are never passed, and are there to be used.

  --runs N        of limits, and as many of budgets; 3 to 300     (50)
  --at-once N     tenants whose rows processes share, 1 to 20     (9)
  --seed N        of the limits that are drawn                    (by the clock)
  --json          figures as JSON
  --help

Prints a table, and ends with code 1 where a limit or budget was passed, or less than 95 % of one was usable.
`

const PROCESSES = [1, 2, 4]
/** Of the limit at its real size, a minute: one to fill it, and two to be measured. */
const RACE_MS = 185_000
const USABLE_MIN = 0.95

interface Options {
  readonly runs: number
  readonly atOnce: number
  readonly seed: number
  readonly json: boolean
}

function readOptions(): Options | undefined {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: {
      runs: text('50'),
      'at-once': text('9'),
      seed: text(String(Date.now() % 1_000_000)),
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const whole = (name: 'runs' | 'at-once' | 'seed', least: number, most: number) => {
    const number = Number(values[name])
    if (Number.isInteger(number) && number >= least && number <= most) return number
    throw new Error(`--${name} must be a whole number from ${least} to ${most}`)
  }
  return {
    runs: whole('runs', 3, 300),
    atOnce: whole('at-once', 1, 20),
    seed: whole('seed', 0, Number.MAX_SAFE_INTEGER),
    json: values.json,
  }
}

interface Row {
  readonly what: 'limits' | 'budgets'
  readonly processes: number
  readonly killed: boolean
  readonly runs: number
  readonly admitted: number
  /** The worst, as a share of the limit; 0 or less where all held. */
  readonly over: number
  readonly usableMin: number
  readonly usableMean: number
}

async function main(): Promise<number> {
  const options = readOptions()
  if (!options) {
    process.stdout.write(HELP)
    return 0
  }
  await startAzurite()
  try {
    const chance = seeded(options.seed)
    const rows = [...(await limitRows(options, chance)), ...(await budgetRows(options, chance))]
    process.stdout.write(options.json ? `${JSON.stringify({ seed: options.seed, rows }, null, 2)}\n` : table(rows))
    return rows.every(isGood) ? 0 : 1
  } finally {
    await stopAzurite()
  }
}

/** What a killed process held is lost to all for a while: of such runs it is only asked that nothing is passed. */
const isGood = ({ over, killed, usableMin }: Row) => over <= 0 && (killed || usableMin >= USABLE_MIN)

async function limitRows({ runs, atOnce }: Options, chance: () => number): Promise<Row[]> {
  const { entry, remove } = await bundle('limits/limiter-process.ts')
  const results: RaceResult[] = []
  for (let round = 0; results.length < runs; round++) {
    progress('runs of limits', results.length, runs)
    const races = PROCESSES.map((processes) => {
      const tenants = Math.max(1, Math.min(Math.ceil(atOnce / PROCESSES.length), runs - results.length))
      const kill = processes > 1 && round % 2 === 1 ? { killAfterMs: RACE_MS * chance() } : {}
      return race({ entry, processes, tenants, shape: minuteWindow, forMs: RACE_MS, chance, ...kill })
    })
    results.push(...(await Promise.all(races)).flat())
  }
  progress('runs of limits', runs, runs)
  await remove()
  return rowsOf('limits', results)
}

async function budgetRows({ runs }: Options, chance: () => number): Promise<Row[]> {
  const { entry, remove } = await bundle('budgets/keeper-process.ts')
  const results: SpendResult[] = []
  for (let run = 0; results.length < runs; run++) {
    progress('runs of budgets', results.length, runs)
    const processes = PROCESSES[run % PROCESSES.length] ?? 1
    results.push(await spend({ entry, processes, kill: Math.floor(run / PROCESSES.length) % 2 === 1, chance }))
  }
  progress('runs of budgets', runs, runs)
  await remove()
  return rowsOf('budgets', results)
}

type Result = Pick<RaceResult, 'processes' | 'killed' | 'admitted' | 'over' | 'usable'>

function rowsOf(what: Row['what'], results: readonly Result[]): Row[] {
  const groups = Map.groupBy(results, ({ processes, killed }) => `${processes} ${killed}`)
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (!first) return []
    const usable = group.map((result) => result.usable)
    return [
      {
        what,
        processes: first.processes,
        killed: first.killed,
        runs: group.length,
        admitted: group.reduce((sum, { admitted }) => sum + admitted, 0),
        over: Math.max(...group.map(({ over }) => over)),
        usableMin: Math.min(...usable),
        usableMean: usable.reduce((sum, share) => sum + share, 0) / usable.length,
      },
    ]
  })
}

function table(rows: readonly Row[]): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`
  const lines = rows.map(
    ({ what, processes, killed, runs, admitted, over, usableMin, usableMean }) =>
      `| ${what} | ${processes}${killed ? ', one killed' : ''} | ${runs} | ${admitted} | ${percent(Math.max(0, over))} | ${percent(usableMin)} | ${percent(usableMean)} |`,
  )
  return [
    '| what | processes | runs | calls let through | passed by at most | usable at least | on average |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
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
