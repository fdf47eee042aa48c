import { createAlerts, type RaisedAlert } from '../../src/alerts/alerts'
import type { Clock } from '../../src/base/clock'
import type { InstanceId } from '../../src/base/ids'
import type { Log } from '../../src/base/log'
import type { Amount } from '../../src/budgets/amount'
import type { BudgetKeeper, Reservation, ReservationRequest, ReservationResult } from '../../src/budgets/budget-keeper'
import { tableBudgetStore, type BudgetStore, type BudgetSubject } from '../../src/budgets/budget-store'
import { createBudgetWarnings } from '../../src/budgets/budget-warnings'
import { budgetStorage, createBudgetKeeper } from '../../src/budgets/create-budget-keeper'
import type { SpentByLog } from '../../src/budgets/true-up'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import type { Budgets } from '../../src/tenants/budget'
import { handClock, type HandClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { seededChance } from '../simulation/limits/simulated-store'

/** What goes wrong with the next write: not done at all, or done without an answer. */
export type Fault = 'refuse' | 'lose-answer' | { readonly held: Promise<void> }

export interface Office {
  readonly keeper: BudgetKeeper
  readonly operations: { reads: number; writes: number }
  readonly warnings: string[]
  readonly faults: Fault[]
  /** While set, every operation fails: as good as a crash to everybody else. */
  outage: boolean
}

export interface Town {
  readonly clock: HandClock
  readonly store: BudgetStore
  /** What the usage log says, by the start of the hour. */
  readonly logged: Map<number, Amount>
  readonly logReads: { count: number; fails: boolean }
  open(options?: { skewMs?: number; instanceId?: InstanceId }): Office
  pass(ms: number): Promise<void>
  meanwhile<T>(waiting: T | Promise<T>): Promise<T>
  alerts(): Promise<readonly { id: string; timesSeen: number; title: string }[]>
  deleteRow(subject?: BudgetSubject): Promise<void>
  used(subject?: BudgetSubject): Promise<number>
}

export const scope = TenantScope.ofPlatform('ten_a')
export const tenant: BudgetSubject = { kind: 'tenant' }
const STEP_MS = 250
const HOUR_MS = 3_600_000

/** Instances around one real table, on a hand-moved clock that begins in the middle of a day and month. */
export async function town(startMs = Date.UTC(2026, 4, 12, 9, 30)): Promise<Town> {
  const storage = freshStorage()
  await storage.ensure({ tables: [...budgetStorage.tables, 'alerts'] })
  const table = tenantTable(storage.table('budgets'))
  const real = tableBudgetStore(table)
  const clock = handClock(startMs)
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const logged = new Map<number, Amount>()
  const logReads = { count: 0, fails: false }
  let underWay = 0
  let opened = 0

  const counted = async <T>(operation: () => Promise<T>): Promise<T> => {
    underWay++
    try {
      return await operation()
    } finally {
      underWay--
    }
  }
  const spentByLog: SpentByLog = async (_scope, _subject, { fromMs, toMs }) => {
    logReads.count++
    if (logReads.fails) throw new Error('the log cannot be read')
    const sum = { tokens: 0, microUsd: 0 }
    for (const [startMs, amount] of logged) {
      if (startMs + HOUR_MS <= fromMs || startMs >= toMs) continue
      sum.tokens += amount.tokens
      sum.microUsd += amount.microUsd
    }
    return sum
  }
  const open = ({ skewMs = 0, instanceId = `ins_${++opened}` }: { skewMs?: number; instanceId?: InstanceId } = {}) => {
    const warnings: string[] = []
    const log: Log = { info: () => {}, warn: (text) => warnings.push(text), error: (text) => warnings.push(text) }
    const own: Clock = { ...clock, now: () => clock.now() + skewMs }
    const office = { operations: { reads: 0, writes: 0 }, warnings, faults: [] as Fault[], outage: false }
    const reach = <T>(operation: () => Promise<T>) =>
      counted(async () => {
        if (office.outage) throw new Error('storage is out')
        return operation()
      })
    const store: BudgetStore = {
      read: (...args) => {
        office.operations.reads++
        return reach(() => real.read(...args))
      },
      write: async (...args) => {
        office.operations.writes++
        const fault = office.faults.shift()
        if (fault === 'refuse') throw new Error('refused')
        if (typeof fault === 'object') await fault.held
        const written = await reach(() => real.write(...args))
        if (fault === 'lose-answer') throw new Error('the answer was lost')
        return written
      },
    }
    const raiseOnce = (alert: RaisedAlert) => counted(() => alerts.raiseOnce(alert))
    const keeper = createBudgetKeeper({
      store,
      spentByLog,
      warnings: createBudgetWarnings({ alerts: { raiseOnce }, log }),
      clock: own,
      chance: seededChance(opened),
      instanceId,
      log,
    })
    return Object.assign(office, { keeper })
  }
  const answers = async () => {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (underWay === 0) return
    }
  }
  return {
    clock,
    store: real,
    logged,
    logReads,
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
      Promise.resolve(waiting).then(end, end)
      while (!moving.signal.aborted) {
        await answers()
        if (!moving.signal.aborted) await clock.advance(5)
      }
      return waiting
    },
    alerts: () => alerts.page({ after: undefined, limit: 1_000 }),
    deleteRow: (subject = tenant) => table.remove(scope, subject.kind === 'key' ? subject.keyId : 'tenant'),
    used: async (subject = tenant) => {
      const state = (await real.read(scope, subject))?.state
      const sum = (spends: readonly Amount[]) => spends.reduce((total, { tokens }) => total + tokens, 0)
      return (
        sum(state?.spent ?? []) + [...(state?.holders.values() ?? [])].reduce((all, { spent }) => all + sum(spent), 0)
      )
    },
  }
}

export const daily = (limit: number, stop = true): Budgets => ({ tokensPerDay: { limit, stop } })
export const monthly = (limit: number, stop = true): Budgets => ({ tokensPerMonth: { limit, stop } })

export function ask(budgets: Budgets, tokens: number, more: Partial<ReservationRequest> = {}): ReservationRequest {
  return {
    tenantId: 'ten_a',
    subjects: [{ subject: tenant, budgets }],
    warnPercents: [50, 80, 100],
    cost: { tokens, microUsd: tokens * 2 },
    ...more,
  }
}

export function reservationOf(result: ReservationResult): Reservation {
  if (result.kind !== 'reserved') throw new Error(`not reserved: ${JSON.stringify(result)}`)
  return result.reservation
}

export function refusalOf(result: ReservationResult) {
  if (result.kind !== 'refused') throw new Error('not refused')
  return result
}

/** The same whether it was answered at once or not. */
export const reserve = async ({ keeper }: Office, request: ReservationRequest) => keeper.reserve(request)

export const using = (tokens: number): Amount => ({ tokens, microUsd: tokens * 2 })

/** Reserves the same again until refused; each settles at once with `used`, or all of it. How many were let through. */
export async function drain(
  { meanwhile }: Pick<Town, 'meanwhile'>,
  { keeper }: Office,
  request: ReservationRequest,
  {
    used = request.cost.tokens,
    hold = false,
    atMost = 10_000,
  }: { used?: number; hold?: boolean; atMost?: number } = {},
): Promise<number> {
  for (let count = 0; count < atMost; count++) {
    const reserved = keeper.reserve(request)
    const result = reserved instanceof Promise ? await meanwhile(reserved) : reserved
    if (result.kind === 'refused') return count
    if (!hold) result.reservation.settle(using(used))
  }
  return atMost
}
