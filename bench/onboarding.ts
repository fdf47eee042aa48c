/**
 * How long an onboarding takes that only configures (shared models, shared storage), on the local stack: one after the
 * other, then many started at once. Figures go to the terminal and to .local/bench/onboarding.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { platformClient, type PlatformClient } from '../local/platform-client'
import { quantile } from './load'
import { machine, progress } from './machine'
import { benchTenant, startBenchStack } from './setup'

const HELP = `Measures onboardings on the local stack.

  --singles N    one after the other                  (20)
  --at-once N    started together                     (100)
  --json FILE    where the figures go                 (.local/bench/onboarding.json)
  --help
`

const AT_ONCE_MS_MAX = 300_000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      singles: { type: 'string', default: '20' },
      'at-once': { type: 'string', default: '100' },
      json: { type: 'string', default: '.local/bench/onboarding.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(HELP)
  const bench = await startBenchStack()
  try {
    const platform = platformClient(bench.stack.baseUrl, bench.stack.operatorToken)
    const tenant = (i: number) => ({ ...benchTenant(bench.backendId), displayName: `Bench ${i}` })
    const singlesMs: number[] = []
    for (let i = 0; i < Number(values.singles); i++) {
      singlesMs.push(await timed(() => platform.onboard(tenant(i))))
      progress('one by one', i + 1, Number(values.singles))
    }
    const atOnce = await manyAtOnce(platform, Number(values['at-once']), tenant)
    report({ machine: machine(), singlesMs, atOnce }, values.json)
  } finally {
    await bench.stop()
  }
}

async function manyAtOnce(platform: PlatformClient, count: number, tenant: (i: number) => object) {
  let ended = 0
  const startedAt = performance.now()
  const states = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const { onboardingId } = await platform.post<{ onboardingId: string }>('/tenants', tenant(i))
      const { state } = await platform.ended(onboardingId, AT_ONCE_MS_MAX)
      progress('at once', ++ended, count)
      return state
    }),
  )
  const completed = states.filter((state) => state === 'completed').length
  return { count, completed, totalMs: performance.now() - startedAt }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

interface Figures {
  readonly machine: string
  readonly singlesMs: readonly number[]
  readonly atOnce: { readonly count: number; readonly completed: number; readonly totalMs: number }
}

function report({ machine: where, singlesMs, atOnce }: Figures, file: string): void {
  const sorted = [...singlesMs].sort((a, b) => a - b)
  const seconds = (ms: number) => (ms / 1_000).toFixed(2)
  process.stdout.write(
    [
      '',
      where,
      '',
      '| onboarding | tenants | p50 s | p95 s | all ended within s | completed |',
      '| --- | ---: | ---: | ---: | ---: | ---: |',
      `| one by one | ${sorted.length} | ${seconds(quantile(sorted, 0.5))} | ${seconds(quantile(sorted, 0.95))} | | ${sorted.length} |`,
      `| at once | ${atOnce.count} | | | ${seconds(atOnce.totalMs)} | ${atOnce.completed} |`,
      '',
    ].join('\n'),
  )
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ machine: where, singlesMs, atOnce }, null, 2)}\n`)
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
