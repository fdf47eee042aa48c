import { writeSync } from 'node:fs'
import { createIdMaker } from '../../../src/base/ids'
import { systemChance } from '../../../src/base/chance'
import { systemClock } from '../../../src/base/clock'
import { createLog } from '../../../src/base/log'
import { limiterOver } from '../../../src/limits/create-limiter'
import type { WindowShape } from '../../../src/limits/window-state'
import { tableWindowStore, type WindowColumns } from '../../../src/limits/window-store'
import { connectStorage } from '../../../src/storage/connect'
import { tenantTable } from '../../../src/storage/tenant-table'

/** A process of its own that asks for more than the limit, and writes a line with the time of every admitted call. */
interface Orders {
  readonly connectionString: string
  readonly prefix: string
  readonly shape: WindowShape
  readonly limits: { requestsPerMinute: number; tokensPerMinute: number; concurrentCalls: number }
  readonly tokens: number
  readonly forMs: number
}

const WORKERS = 6
/** Between calls of one worker; so slow that no process can take a whole window before the other has started. */
const PAUSE_MS = 40

const orders = JSON.parse(process.argv[2] ?? '') as Orders
const { connectionString, prefix, shape, limits, tokens, forMs } = orders
const storage = connectStorage({ kind: 'connection-string', connectionString }, prefix)
const chance = systemChance()
const limiter = limiterOver({
  windows: tableWindowStore(tenantTable<WindowColumns>(storage.table('limits'))),
  clock: systemClock,
  chance,
  instanceId: createIdMaker({ clock: systemClock, chance }).instanceId(),
  log: createLog((line) => writeSync(2, `${line}\n`), systemClock.now),
  shape,
})

async function work(untilMs: number): Promise<void> {
  while (Date.now() < untilMs) {
    const result = await limiter.admit({ tenantId: 'ten_a', limits, key: undefined, tokens })
    if (result.kind === 'admitted') {
      // Written at once, and past any buffer: the process may be killed at any moment.
      writeSync(1, `${Date.now()}\n`)
      result.admission.settle(tokens)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

// The system clock's timers do not keep a process alive, and in the app its server does.
const alive = setInterval(() => {}, forMs)
const untilMs = Date.now() + forMs
void Promise.all(Array.from({ length: WORKERS }, () => work(untilMs)))
  .then(() => limiter.close())
  .finally(() => clearInterval(alive))
