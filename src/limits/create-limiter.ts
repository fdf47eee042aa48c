import type { Chance } from '../base/chance'
import { repeat, type Clock } from '../base/clock'
import type { InstanceId, TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { StorageAccount } from '../storage/connect'
import { TenantScope } from '../storage/tenant-scope'
import { tenantTable } from '../storage/tenant-table'
import type { Limiter } from './limiter'
import { limitsUnavailable, shuttingDown } from './renewal-attempts'
import { TenantGate } from './tenant-gate'
import type { LeaseDeps } from './tenant-lease'
import { minuteWindow } from './window-state'
import { tableWindowStore, type WindowColumns, type WindowStore } from './window-store'

/** Tenants remembered at once. An idle one costs a storage read to remember again, so the bound is only for memory. */
export const TENANTS_MAX = 20_000
/** How often leases are looked through for those to renew. */
const TICK_MS = 250
/** Renewals started in one look: the rest waits for the next, so that a full house does not storm the storage. */
const RENEWALS_PER_TICK_MAX = 500
/** A tenant without anything held is remembered for so long after its last call, since its window is worth knowing. */
const FORGET_MS = 10_000
const CLOSES_AT_ONCE = 32

const TABLE = 'limits'

/** What the composition root makes sure of before the first call. */
export const limitStorage = { tables: [TABLE] } as const

/**
 * The limiter over the table `limits`. `instanceId` must be new for every start of the process: leases in the table
 * are held under it.
 */
export function createLimiter({
  storage,
  ...deps
}: {
  storage: StorageAccount
  clock: Clock
  chance: Chance
  instanceId: InstanceId
  log: Log
}): Limiter {
  return limiterOver({ ...deps, windows: windowsIn(storage), shape: minuteWindow })
}

export const windowsIn = (storage: StorageAccount): WindowStore =>
  tableWindowStore(tenantTable<WindowColumns>(storage.table(TABLE)))

/** The same over any store and shape of window. */
export function limiterOver(deps: LeaseDeps): Limiter {
  const { clock, log } = deps
  const gates = new Map<TenantId, TenantGate>()
  let closed: Promise<void> | undefined
  let sweptAtMs = -Infinity

  const sweep = (unusedMs: number) => {
    const nowMs = clock.now()
    for (const [tenantId, gate] of gates) {
      if (gate.isIdle() && nowMs - gate.usedAtMs >= unusedMs) gates.delete(tenantId)
    }
  }
  const gateOf = (tenantId: TenantId): TenantGate => {
    let gate = gates.get(tenantId)
    if (gate) return gate
    if (gates.size >= TENANTS_MAX && clock.now() - sweptAtMs >= TICK_MS) {
      sweptAtMs = clock.now()
      sweep(0)
    }
    if (gates.size >= TENANTS_MAX) throw limitsUnavailable(`${TENANTS_MAX} tenants in use at once`)
    gate = new TenantGate(deps, TenantScope.ofCaller({ tenantId }))
    gates.set(tenantId, gate)
    return gate
  }
  const tend = async () => {
    const nowMs = clock.now()
    let renewals = 0
    for (const gate of gates.values()) {
      if (gate.tend(nowMs) && ++renewals >= RENEWALS_PER_TICK_MAX) break
    }
    sweep(FORGET_MS)
  }
  const onError = (error: unknown) => log.error('looking through leases failed', { error: describeError(error) })
  const tending = repeat({ clock, onError }, TICK_MS, tend)

  const close = async () => {
    await tending.stop()
    const leaving = [...gates.values()].values()
    const leaveInTurn = async () => {
      for (const gate of leaving) {
        await gate.leave().catch((error: unknown) => {
          log.warn('a lease was not given back and will expire', { error: describeError(error) })
        })
      }
    }
    await Promise.all(Array.from({ length: CLOSES_AT_ONCE }, leaveInTurn))
  }

  return {
    admit: async (request) => {
      if (closed) throw shuttingDown()
      return gateOf(request.tenantId).admit(request)
    },
    close: () => (closed ??= close()),
  }
}
