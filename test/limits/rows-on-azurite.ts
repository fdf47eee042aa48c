import type { Clock } from '../../src/base/clock'
import type { InstanceId, TenantId } from '../../src/base/ids'
import type { Log } from '../../src/base/log'
import { limiterOver, limitStorage } from '../../src/limits/create-limiter'
import type { Admission, AdmissionRequest, AdmissionResult, Limiter } from '../../src/limits/limiter'
import { minuteWindow } from '../../src/limits/window-state'
import { tableWindowStore, type WindowColumns, type WindowStore } from '../../src/limits/window-store'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { handClock, type HandClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { seededChance } from '../simulation/limits/simulated-store'

/** What goes wrong with the next write: not done at all, done without an answer, or held up until released. */
export type Fault = 'refuse' | 'lose-answer' | { readonly held: Promise<void> }

export interface House {
  readonly limiter: Limiter
  readonly operations: { reads: number; writes: number }
  /** Warnings of this instance. */
  readonly warnings: string[]
  /** Applied to coming writes, first come first served. */
  readonly faults: Fault[]
  /** While set, every operation fails. */
  outage: boolean
}

export interface Street {
  readonly clock: HandClock
  /** Another instance of the app around the same rows. */
  open(options?: { skewMs?: number; instanceId?: InstanceId }): House
  /** Moves time on in small steps, and lets storage answer in each. */
  pass(ms: number): Promise<void>
  /** Moves time on while something waits for it, for example between two attempts of a renewal. */
  meanwhile<T>(waiting: Promise<T>): Promise<T>
  deleteRow(tenantId: TenantId): Promise<void>
  readonly windows: WindowStore
}

const STEP_MS = 100

/** Instances of the limiter around one real table, on a hand-moved clock. */
export async function street(): Promise<Street> {
  const storage = freshStorage()
  await storage.ensure(limitStorage)
  const table = tenantTable<WindowColumns>(storage.table('limits'))
  const windows = tableWindowStore(table)
  const clock = handClock()
  let underWay = 0
  let opened = 0

  const open = ({ skewMs = 0, instanceId = `ins_${++opened}` }: { skewMs?: number; instanceId?: InstanceId } = {}) => {
    const warnings: string[] = []
    const log: Log = {
      info: () => {},
      warn: (message) => warnings.push(message),
      error: (message) => warnings.push(message),
    }
    const own: Clock = { ...clock, now: () => clock.now() + skewMs }
    const house = { operations: { reads: 0, writes: 0 }, warnings, faults: [] as Fault[], outage: false }
    const counted = async <T>(operation: () => Promise<T>): Promise<T> => {
      if (house.outage) throw new Error('storage is out')
      underWay++
      try {
        return await operation()
      } finally {
        underWay--
      }
    }
    const store: WindowStore = {
      read: (scope) => {
        house.operations.reads++
        return counted(() => windows.read(scope))
      },
      write: async (scope, state, tag) => {
        house.operations.writes++
        const fault = house.faults.shift()
        if (fault === 'refuse') throw new Error('refused')
        if (typeof fault === 'object') await fault.held
        const written = await counted(() => windows.write(scope, state, tag))
        if (fault === 'lose-answer') throw new Error('the answer was lost')
        return written
      },
    }
    const limiter = limiterOver({
      windows: store,
      clock: own,
      chance: seededChance(opened),
      instanceId,
      log,
      shape: minuteWindow,
    })
    return Object.assign(house, { limiter })
  }

  const answers = async () => {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (underWay === 0) return
    }
  }
  return {
    clock,
    windows,
    open,
    pass: async (ms) => {
      for (let leftMs = ms; leftMs > 0; leftMs -= STEP_MS) {
        await answers()
        await clock.advance(Math.min(STEP_MS, leftMs))
      }
      await answers()
    },
    meanwhile: async (waiting) => {
      const moving = new AbortController()
      const end = () => moving.abort()
      waiting.then(end, end)
      while (!moving.signal.aborted) {
        await answers()
        await clock.advance(5)
      }
      return waiting
    },
    deleteRow: (tenantId) => table.remove(TenantScope.ofPlatform(tenantId), 'window'),
  }
}

export const limits = { requestsPerMinute: 100, tokensPerMinute: 100_000, concurrentCalls: 50 }

export function call(more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return { tenantId: 'ten_a', limits, key: undefined, tokens: 1_000, ...more }
}

export function admissionOf(result: AdmissionResult): Admission {
  if (result.kind !== 'admitted') throw new Error(`not admitted: ${JSON.stringify(result)}`)
  return result.admission
}

export function refusalOf(result: AdmissionResult) {
  if (result.kind !== 'refused') throw new Error(`not refused: ${result.kind}`)
  return result
}

/** Admits the same call until one is not admitted; each call settles at once with all its tokens unless `hold`. */
export async function drain(
  house: House,
  request: AdmissionRequest,
  { hold = false, atMost = 10_000 }: { hold?: boolean; atMost?: number } = {},
): Promise<number> {
  for (let admitted = 0; admitted < atMost; admitted++) {
    const result = await house.limiter.admit(request)
    if (result.kind !== 'admitted') return admitted
    if (!hold) result.admission.settle(request.tokens)
  }
  return atMost
}
