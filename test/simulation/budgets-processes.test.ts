import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { budgetStorage } from '../../src/budgets/create-budget-keeper'
import { freshStorage, testConnectionString } from '../harness/storage'

const RUN_MS = 5_000
const KILL_AFTER_MS = 2_000
const TOKENS_MAX = 400

let folder: string
let entry: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'budgets-'))
  entry = join(folder, 'keeper-process.js')
  await build({
    entryPoints: [join(__dirname, 'budgets/keeper-process.ts')],
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
})
afterAll(() => rm(folder, { recursive: true }))

interface Story {
  /** What its calls used; what a kill cut short counts as it was reserved. */
  readonly spent: number
  readonly calls: number
  readonly refused: number
}

function startProcess(orders: object) {
  const child = spawn(process.execPath, [entry, JSON.stringify(orders)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const closed = once(child, 'close')
  const story = async (): Promise<Story> => {
    await closed
    const spent = new Map<string, number>()
    let refused = 0
    for (const line of output.trim().split('\n')) {
      const [call = '', what, number] = line.split(' ')
      if (what === 'refused') refused = Number(number)
      else if (number !== undefined) spent.set(call, Number(number))
    }
    return {
      refused,
      spent: [...spent.values()].reduce((sum, tokens) => sum + tokens, 0),
      calls: spent.size,
    }
  }
  return { child, story }
}

describe('real processes that share one row', () => {
  it.each([
    { count: 1, limit: 100_000 },
    { count: 2, limit: 200_000 },
    { count: 4, limit: 300_000 },
  ])(
    'let never more than the budget through together ($count processes, one of them killed)',
    async ({ count, limit }) => {
      const storage = freshStorage()
      await storage.ensure(budgetStorage)
      const orders = {
        connectionString: testConnectionString(),
        prefix: storage.prefix,
        limit,
        tokensMax: TOKENS_MAX,
        forMs: RUN_MS,
      }
      const processes = Array.from({ length: count }, () => startProcess(orders))
      const kill = setTimeout(() => processes[0]?.child.kill('SIGKILL'), KILL_AFTER_MS)
      const stories = await Promise.all(processes.map(({ story }) => story()))
      clearTimeout(kill)
      // A restart on the same rows: it goes on with what is left.
      const after = await startProcess(orders).story()

      const spent = [...stories, after].reduce((sum, story) => sum + story.spent, 0)
      expect(stories.every(({ calls }) => calls > 20)).toBe(true)
      expect(after.refused).toBeGreaterThan(0)
      expect(spent).toBeLessThanOrEqual(limit)
      // The killed one's lease counts as spent for now: a 32nd of the budget, and its calls under way.
      expect(spent).toBeGreaterThan(limit * 0.6)
    },
  )
})
