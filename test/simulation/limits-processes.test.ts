import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { limitStorage } from '../../src/limits/create-limiter'
import { freshStorage, testConnectionString } from '../harness/storage'

/** A short window, so that it passes several times in a test; the renewals run at their real pace. */
const shape = { windowMs: 3_000, cellMs: 200, skewMsMax: 100, leaseMs: 6_000 }
const limits = { requestsPerMinute: 200, tokensPerMinute: 30_000, concurrentCalls: 100 }
const TOKENS = 100
const RUN_MS = 14_000
const KILL_AFTER_MS = 6_000

async function startProcess(entry: string, orders: object) {
  const child = spawn(process.execPath, [entry, JSON.stringify(orders)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const closed = once(child, 'close')
  const admittedAtMs = async () => {
    await closed
    return { times: output.trim().split('\n').filter(Boolean).map(Number), errors }
  }
  return { child, admittedAtMs }
}

describe('real processes that share one row', () => {
  it('admit together never more than the limit in any window, even when one is killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'limits-'))
    const entry = join(folder, 'limiter-process.js')
    await build({
      entryPoints: [join(__dirname, 'limits/limiter-process.ts')],
      outfile: entry,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node22',
      // Some packages' ES modules ask where they are; in a CommonJS bundle that is the bundle itself.
      define: { 'import.meta.url': 'bundleUrl' },
      banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href" },
      logLevel: 'warning',
    })
    const storage = freshStorage()
    await storage.ensure(limitStorage)
    const orders = { connectionString: testConnectionString(), prefix: storage.prefix, shape, limits, tokens: TOKENS }

    const survivor = await startProcess(entry, { ...orders, forMs: RUN_MS })
    const victim = await startProcess(entry, { ...orders, forMs: RUN_MS })
    const kill = setTimeout(() => victim.child.kill('SIGKILL'), KILL_AFTER_MS)
    const [ofSurvivor, ofVictim] = await Promise.all([survivor.admittedAtMs(), victim.admittedAtMs()])
    clearTimeout(kill)
    await rm(folder, { recursive: true })

    expect(ofSurvivor.errors + ofVictim.errors).toBe('')
    const times = [...ofSurvivor.times, ...ofVictim.times].sort((a, b) => a - b)
    const peak = Math.max(
      ...times.map((lastMs) => times.filter((atMs) => atMs > lastMs - shape.windowMs && atMs <= lastMs).length),
    )
    expect(ofVictim.times.length).toBeGreaterThan(0)
    expect(times.length).toBeGreaterThan(2 * limits.requestsPerMinute)
    expect(peak).toBeLessThanOrEqual(limits.requestsPerMinute)
  })
})
