import { writeSync } from 'node:fs'
import { createIdMaker } from '../../../src/base/ids'
import { systemChance } from '../../../src/base/chance'
import { systemClock } from '../../../src/base/clock'
import { createLog } from '../../../src/base/log'
import { ProblemError } from '../../../src/base/problem'
import { budgetsIn, createBudgetKeeper } from '../../../src/budgets/create-budget-keeper'
import { connectStorage } from '../../../src/storage/connect'

/** A process of its own that asks for more than the budget, and writes a line for what it reserved and what it used. */
interface Orders {
  readonly connectionString: string
  readonly prefix: string
  readonly limit: number
  readonly tokensMax: number
  readonly forMs: number
}

const WORKERS = 8
const PAUSE_MS = 15
/** Then the budget is as good as used up, and whoever starts next finds what is left. */
const REFUSALS_MAX = 30

const orders = JSON.parse(process.argv[2] ?? '') as Orders
const { connectionString, prefix, limit, tokensMax, forMs } = orders
const chance = systemChance()
const keeper = createBudgetKeeper({
  store: budgetsIn(connectStorage({ kind: 'connection-string', connectionString }, prefix)),
  spentByLog: async () => ({ tokens: 0, microUsd: 0 }),
  warnings: { look: () => {}, refused: () => {}, unpriced: () => {} },
  clock: systemClock,
  chance,
  instanceId: createIdMaker({ clock: systemClock, chance }).instanceId(),
  log: createLog((line) => writeSync(2, `${line}\n`), systemClock.now),
})
const budgets = { tokensPerMonth: { limit, stop: true } }
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

let calls = 0
let refused = 0
async function work(untilMs: number): Promise<void> {
  while (Date.now() < untilMs && refused < REFUSALS_MAX) {
    const tokens = 1 + Math.floor(chance.fraction() * tokensMax)
    const result = await Promise.resolve(
      keeper.reserve({
        tenantId: 'ten_a',
        subjects: [{ subject: { kind: 'tenant' }, budgets }],
        warnPercents: [],
        cost: { tokens, microUsd: 0 },
      }),
    )
      // A row that 4 processes ask for at once may be out of reach for a call; nothing is reserved then.
      .catch((error: unknown) => {
        if (!(error instanceof ProblemError)) throw error
      })
    if (result?.kind === 'reserved') {
      const call = ++calls
      // Written at once, and past any buffer: the process may be killed at any moment.
      writeSync(1, `${call} reserved ${tokens}\n`)
      await pause(chance.fraction() * 40)
      const used = Math.floor(tokens * chance.fraction())
      writeSync(1, `${call} used ${used}\n`)
      result.reservation.settle({ tokens: used, microUsd: 0 })
    }
    if (result?.kind === 'refused') refused++
    await pause(PAUSE_MS)
  }
}

// The system clock's timers do not keep a process alive, and in the app its server does.
const alive = setInterval(() => {}, forMs)
const untilMs = Date.now() + forMs
void Promise.all(Array.from({ length: WORKERS }, () => work(untilMs)))
  .then(() => keeper.close())
  .then(() => writeSync(1, `all refused ${refused}\n`))
  .finally(() => clearInterval(alive))
