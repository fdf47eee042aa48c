import { writeSync } from 'node:fs'
import { createIdMaker, type TenantId } from '../../../src/base/ids'
import { systemChance } from '../../../src/base/chance'
import { systemClock } from '../../../src/base/clock'
import { createLog } from '../../../src/base/log'
import { ProblemError } from '../../../src/base/problem'
import { limiterOver } from '../../../src/limits/create-limiter'
import type { WindowShape } from '../../../src/limits/window-state'
import { tableWindowStore, type WindowColumns } from '../../../src/limits/window-store'
import { connectStorage } from '../../../src/storage/connect'
import { tenantTable } from '../../../src/storage/tenant-table'
import type { Limits } from '../../../src/tenants/snapshot'

/** A process of its own that asks for more than the limits of some tenants, and writes a line for what it was let do. */
export interface Orders {
  readonly connectionString: string
  readonly prefix: string
  readonly shape: WindowShape
  readonly tenants: readonly TenantOrders[]
  readonly forMs: number
}

export interface TenantOrders {
  readonly tenantId: TenantId
  readonly limits: Limits
  readonly workers: number
  /** Between calls of one worker. */
  readonly pauseMs: number
  /** Each call reserves up to so many, at least half, and uses a random part of them. */
  readonly tokensMax: number
  readonly holdMsMax: number
}

const { connectionString, prefix, shape, tenants, forMs } = JSON.parse(process.argv[2] ?? '') as Orders
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
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
/** Written at once, and past any buffer: the process may be killed at any moment. */
const tell = (...words: (string | number)[]) => writeSync(1, `${words.join(' ')}\n`)

let calls = 0

async function work({ tenantId, limits, pauseMs, tokensMax, holdMsMax }: TenantOrders, untilMs: number): Promise<void> {
  while (Date.now() < untilMs) {
    const tokens = Math.ceil(tokensMax * (0.5 + chance.fraction() / 2))
    const askedMs = Date.now()
    const result = await limiter.admit({ tenantId, limits, key: undefined, tokens }).catch((error: unknown) => {
      // A row that several processes ask for at once may be out of reach for a call; nothing is reserved then.
      if (!(error instanceof ProblemError)) throw error
    })
    if (result?.kind === 'admitted') {
      const call = ++calls
      tell('admitted', tenantId, call, Date.now(), tokens, askedMs)
      await pause(chance.fraction() * holdMsMax)
      const used = Math.ceil(tokens * (0.5 + chance.fraction() / 2))
      // Before: what is free again may be another process's at once.
      tell('settled', tenantId, call, Date.now(), used)
      result.admission.settle(used)
    }
    await pause(pauseMs * (0.5 + chance.fraction()))
  }
}

// The system clock's timers do not keep a process alive, and in the app its server does.
const alive = setInterval(() => {}, forMs)
const untilMs = Date.now() + forMs
void Promise.all(tenants.flatMap((tenant) => Array.from({ length: tenant.workers }, () => work(tenant, untilMs))))
  .then(() => limiter.close())
  .finally(() => clearInterval(alive))
