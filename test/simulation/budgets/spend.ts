import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { budgetStorage } from '../../../src/budgets/create-budget-keeper'
import { freshStorage, testConnectionString } from '../../harness/storage'

/** A slow machine takes longer to spend a budget; a process ends when it has been refused often enough. */
const RUN_MS_MAX = 60_000
/** Lines that the victim has written, two for each call: long before the budget is spent, whatever the machine. */
const KILL_LINES_MIN = 60
const KILL_LINES_MAX = 300
const TOKENS_MAX = 400
/** What a process can spend in a run, and more: every run comes to the end of its budget. */
const TOKENS_PER_PROCESS = 100_000

/** Real processes that spend one budget together until it refuses them. */
export interface SpendOptions {
  /** The bundle of keeper-process.ts. */
  readonly entry: string
  readonly processes: number
  /** One of them dies by SIGKILL in the middle. */
  readonly kill: boolean
  readonly chance: () => number
}

export interface SpendResult {
  readonly processes: number
  readonly killed: boolean
  readonly limit: number
  /** What calls used; what a kill cut short counts as it was reserved. */
  readonly spent: number
  readonly admitted: number
  readonly refused: number
  /** The least that one process was let through. */
  readonly admittedMin: number
  /** As a share of the budget; 0 or less where it held. */
  readonly over: number
  readonly usable: number
}

export async function spend({ entry, processes, kill, chance }: SpendOptions): Promise<SpendResult> {
  const storage = freshStorage()
  await storage.ensure(budgetStorage)
  const limit = Math.round(TOKENS_PER_PROCESS * processes ** 0.8 * (0.6 + 0.4 * chance()))
  const orders = {
    connectionString: testConnectionString(),
    prefix: storage.prefix,
    limit,
    tokensMax: TOKENS_MAX,
    forMs: RUN_MS_MAX,
  }
  const killAfterLines = KILL_LINES_MIN + Math.floor((KILL_LINES_MAX - KILL_LINES_MIN) * chance())
  const running = Array.from({ length: processes }, (_, i) =>
    start(entry, orders, kill && i === 0 ? killAfterLines : Infinity),
  )
  const stories = await Promise.all(running)
  // A restart on the same rows goes on with what is left.
  const after = await start(entry, orders, Infinity)
  const all = [...stories, after]
  const sum = (of: (story: Story) => number) => all.reduce((total, story) => total + of(story), 0)
  const spent = sum((story) => story.spent)
  return {
    processes,
    killed: kill,
    limit,
    spent,
    admitted: sum(({ calls }) => calls),
    refused: after.refused,
    admittedMin: Math.min(...stories.map(({ calls }) => calls)),
    over: spent / limit - 1,
    usable: spent / limit,
  }
}

interface Story {
  readonly spent: number
  readonly calls: number
  readonly refused: number
}

/** Resolves when the process has ended, by itself or killed. */
async function start(entry: string, orders: object, killAfterLines: number): Promise<Story> {
  const child = spawn(process.execPath, [entry, JSON.stringify(orders)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  let lines = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    lines += text.split('\n').length - 1
    if (lines >= killAfterLines) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const spent = new Map<string, number>()
  let refused = 0
  for (const line of output.trim().split('\n')) {
    const [call = '', what, number] = line.split(' ')
    if (what === 'refused') refused = Number(number)
    else if (number !== undefined) spent.set(call, Number(number))
  }
  return { refused, spent: [...spent.values()].reduce((sum, tokens) => sum + tokens, 0), calls: spent.size }
}
