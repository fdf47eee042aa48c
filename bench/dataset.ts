/**
 * How fast a dataset is validated, and in how much memory: against the bare limit, which is reading the file and parsing
 * each line, in the same run. Each way has a process of its own, so that its memory is its own; they take turns.
 */
import { spawn } from 'node:child_process'
import { createReadStream, createWriteStream, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { LineSplitter } from '../src/datasets/split-lines'
import { validateDataset } from '../src/datasets/validate-dataset'
import { datasetLines } from './dataset-lines'
import { loadAverage, machine, progress } from './machine'

const HELP = `Measures the validation of a generated dataset.

  --size MB       length of the dataset, in 1,000,000 bytes             (1000)
  --rounds N      rounds, of which the median counts                    (3)
  --pii           looks for identifying data too
  --json FILE     where the figures go                                  (.local/bench/dataset.json)
  --help
`

const WANTED = { megabytesPerSecond: 60, growthMb: 150 }
const READ_BYTES = 256 * 1024
const MB = 1_000_000

interface Figures {
  readonly seconds: number
  /** Of the processor, in user and system: what depends least on the neighbours. */
  readonly cpuSeconds: number
  readonly bytes: number
  /** Highest so far, and what it was before anything was read. */
  readonly peakMb: number
  readonly startMb: number
  readonly examples: number
  readonly tokens?: number
  readonly marginTokens?: number
  readonly errors?: readonly string[]
}

type WayName = 'validate' | 'bare'

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '3' },
      pii: { type: 'boolean', default: false },
      json: { type: 'string', default: '.local/bench/dataset.json' },
      help: { type: 'boolean', default: false },
      // What a process of this tool's own is started with.
      way: { type: 'string' },
      file: { type: 'string' },
    },
  })
  if (values.help) return void process.stdout.write(HELP)
  if (values.file && (values.way === 'validate' || values.way === 'bare'))
    return runWay(values.way, values.file, values.pii)
  const file = join(dirname(values.json), 'dataset.jsonl')
  mkdirSync(dirname(file), { recursive: true })
  await generate(file, Number(values.size) * MB)
  try {
    await compare(file, { rounds: Number(values.rounds), pii: values.pii, json: values.json })
  } finally {
    rmSync(file)
  }
}

async function generate(file: string, bytes: number): Promise<void> {
  const out = createWriteStream(file)
  let written = 0
  let shown = 0
  for (const line of datasetLines()) {
    const bytesOfLine = Buffer.from(line)
    written += bytesOfLine.length
    if (!out.write(bytesOfLine)) await once(out, 'drain')
    if (written >= bytes) break
    if (written - shown < 10 * MB) continue
    shown = written
    progress('generating, MB', Math.round(written / MB), Math.round(bytes / MB))
  }
  progress('generating, MB', Math.round(bytes / MB), Math.round(bytes / MB))
  out.end()
  await once(out, 'close')
}

async function compare(file: string, options: { rounds: number; pii: boolean; json: string }): Promise<void> {
  const all: Record<WayName, Figures[]> = { validate: [], bare: [] }
  for (let round = 0; round < options.rounds; round++)
    for (const way of ['bare', 'validate'] as const) {
      all[way].push(await start(way, file, options.pii))
      progress('rounds', all.bare.length + all.validate.length, 2 * options.rounds)
    }
  const perCpu = (way: WayName) => median(all[way].map(({ bytes, cpuSeconds }) => bytes / MB / cpuSeconds))
  const speeds = (way: WayName) => all[way].map(({ bytes, seconds }) => bytes / MB / seconds)
  const growth = (way: WayName) => Math.max(...all[way].map(({ peakMb, startMb }) => peakMb - startMb))
  const [validate, bare] = [median(speeds('validate')), median(speeds('bare'))]
  const result = {
    machine: machine(),
    load: loadAverage(),
    date: new Date().toISOString().slice(0, 10),
    megabytes: statSync(file).size / MB,
    validate: {
      megabytesPerSecond: validate,
      slowest: Math.min(...speeds('validate')),
      perCpuSecond: perCpu('validate'),
      growthMb: growth('validate'),
    },
    bare: { megabytesPerSecond: bare, perCpuSecond: perCpu('bare'), growthMb: growth('bare') },
    ofBare: validate / bare,
    wanted: WANTED,
    rounds: all,
  }
  writeFileSync(options.json, JSON.stringify(result, undefined, 2))
  const [first] = all.validate
  process.stdout
    .write(`${result.machine}, load ${result.load}; ${Math.round(result.megabytes)} MB, ${first?.examples} examples

| way | MB/s | slowest round | × bare | MB per second of processor | memory grew by MB |
| --- | ---: | ---: | ---: | ---: | ---: |
| read and JSON.parse | ${bare.toFixed(0)} | ${Math.min(...speeds('bare')).toFixed(0)} | 1.00 | ${perCpu('bare').toFixed(0)} | ${growth('bare').toFixed(0)} |
| validate${options.pii ? ' and look for identifying data' : ''} | ${validate.toFixed(0)} | ${result.validate.slowest.toFixed(0)} | ${result.ofBare.toFixed(2)} | ${perCpu('validate').toFixed(0)} | ${growth('validate').toFixed(0)} |

Wanted: ${WANTED.megabytesPerSecond} MB/s, ${WANTED.growthMb} MB. Tokens: ${first?.tokens} ± ${first?.marginTokens}. Errors: ${first?.errors?.join(', ') || 'none'}.
`)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

async function start(way: WayName, file: string, pii: boolean): Promise<Figures> {
  const args = [__filename, '--way', way, '--file', file, ...(pii ? ['--pii'] : [])]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
  await once(child, 'close')
  return JSON.parse(out) as Figures
}

async function runWay(way: WayName, file: string, scanPii: boolean): Promise<void> {
  const startMb = process.memoryUsage().rss / MB
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  const content = createReadStream(file, { highWaterMark: READ_BYTES })
  const found = way === 'bare' ? await parseOnly(content) : await validate(content, scanPii)
  const seconds = (performance.now() - startedAt) / 1_000
  const { user, system } = process.cpuUsage(cpuBefore)
  const cpuSeconds = (user + system) / 1_000_000
  const peakMb = (process.resourceUsage().maxRSS * 1_024) / MB
  const figures: Figures = { seconds, cpuSeconds, bytes: statSync(file).size, peakMb, startMb, ...found }
  process.stdout.write(JSON.stringify(figures))
}

async function parseOnly(content: AsyncIterable<Uint8Array>) {
  const lines = new LineSplitter()
  let examples = 0
  for await (const piece of content)
    for (const { bytes } of lines.push(piece)) if (JSON.parse(bytes.toString('utf8'))) examples += 1
  return { examples }
}

async function validate(content: AsyncIterable<Uint8Array>, scanPii: boolean) {
  const options = { method: 'supervised', baseModel: 'gpt-4.1-2025-04-14', role: 'training', scanPii } as const
  const { report } = await validateDataset(content, options)
  const { totals, tokens, faults } = report
  const errors = Object.keys(faults.countByCode)
  return { examples: totals.examples, tokens: tokens.total, marginTokens: tokens.margin, errors }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(1)
})
