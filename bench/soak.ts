/**
 * Memory over many calls: streaming and not, served, refused by limits, filtered and failed upstream, in one process.
 * Resident memory must level off; a plot and the figures are printed.
 */
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { machine, progress, residentMb } from './machine'
import { startBenchStack, waysOf } from './setup'

const HELP = `Shows that memory does not grow with the number of calls.

  --calls N   how many                (200000)
  --help
`

const CONNECTIONS = 32
const SAMPLES = 40
/** One call in each kind's turn: most are served, some are not. */
const KINDS = [
  {},
  { stream: true },
  { prompt: '[[fault:status:500]]' },
  { prompt: '[[filter:prompt]]' },
  { max_tokens: 100_000 },
  { stream: true, prompt: '[[fault:cut]]' },
]

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { calls: { type: 'string', default: '200000' }, help: { type: 'boolean', default: false } },
  })
  if (values.help) return void process.stdout.write(HELP)
  const bench = await startBenchStack()
  try {
    const samples = await soak(bench, Number(values.calls))
    process.stdout.write(plot(samples))
  } finally {
    await bench.stop()
  }
}

interface Sample {
  readonly calls: number
  readonly residentMb: number
}

async function soak({ stack, apiKey }: Awaited<ReturnType<typeof startBenchStack>>, calls: number): Promise<Sample[]> {
  const way = waysOf(apiKey, { stack }).find(({ name }) => name === 'whole app')
  if (!way) throw new Error('there is no whole app')
  const { origin, path, headers, body } = way.shot(false)
  const plain = JSON.parse(body) as { messages: { content: string }[] }
  const bodies = KINDS.map(({ prompt, ...fields }) =>
    JSON.stringify({
      ...plain,
      ...fields,
      ...(prompt ? { messages: [{ role: 'user', content: `${prompt} [[tokens:20]]` }] } : {}),
    }),
  )
  const pool = new Pool(origin, { connections: CONNECTIONS })
  const samples: Sample[] = []
  const every = Math.max(1, Math.floor(calls / SAMPLES))
  let done = 0
  const worker = async () => {
    while (done < calls) {
      const n = done++
      // Failures are rare enough that the circuit stays closed for most calls.
      const kind = n % 25 === 0 ? (n / 25) % KINDS.length : n % 2
      const { body: answer } = await pool.request({ method: 'POST', path, headers, body: bodies[kind] ?? '' })
      await answer.dump().catch(() => {})
      if (n % every === 0) {
        samples.push({ calls: n, residentMb: residentMb(way.pid()) ?? 0 })
        progress('calls', n, calls)
      }
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  progress('calls', calls, calls)
  await pool.close()
  return samples.sort((a, b) => a.calls - b.calls)
}

function plot(samples: readonly Sample[]): string {
  const most = Math.max(...samples.map((sample) => sample.residentMb))
  const lines = samples.map(({ calls, residentMb: mb }) => {
    const bar = '#'.repeat(Math.round((60 * mb) / most))
    return `${String(calls).padStart(8)} calls ${String(mb).padStart(5)} MB ${bar}`
  })
  return [`${new Date().toISOString().slice(0, 10)}, ${machine()}`, ...lines, ''].join('\n')
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
