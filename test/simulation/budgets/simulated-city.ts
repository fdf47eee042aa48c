import type { Chance } from '../../../src/base/chance'
import type { Clock } from '../../../src/base/clock'
import { ProblemError } from '../../../src/base/problem'
import type { BudgetKeeper } from '../../../src/budgets/budget-keeper'
import { decodeBudget, encodeBudget, subjectName, type BudgetStore } from '../../../src/budgets/budget-store'
import { createBudgetKeeper } from '../../../src/budgets/create-budget-keeper'
import type { SpentByLog } from '../../../src/budgets/true-up'
import type { Budgets } from '../../../src/tenants/budget'
import { handClock, type HandClock } from '../../harness/hand-clock'
import { calm, seededChance, type Weather } from '../limits/simulated-store'
import { silent } from '../limits/town'

/** A call that was let through: reserved, and used once it has ended; what a crash cut short counts as reserved. */
export interface SpentCall {
  /** By the clock of the instance that let it through. */
  readonly atMs: number
  readonly reserved: number
  used: number | undefined
}

export interface Office {
  readonly keeper: BudgetKeeper
  readonly skewMs: number
  /** From now on nothing it does reaches the rows, and its calls are gone with it. */
  crash(): void
  readonly isCrashed: () => boolean
}

export interface City {
  readonly clock: HandClock
  readonly chance: Chance
  readonly calls: SpentCall[]
  weather: Weather
  start(skewMs?: number): Office
  /** Reserves on `office`, and settles after `holdMs` with what it `used`. */
  call(office: Office, budgets: Budgets, life: { tokens: number; used: number; holdMs: number }): Promise<void>
  /** The most that all calls of one day, or one month, held at any admission. */
  peakOf(period: 'day' | 'month'): number
}

interface Row {
  readonly text: string
  readonly version: number
}

/** Instances around rows in memory, changed by compare-and-swap after a random while, in random weather. */
export function city(seed: number, startMs: number, spentByLog?: SpentByLog): City {
  const clock = handClock(startMs)
  const chance = seededChance(seed)
  const rows = new Map<string, Row>()
  const calls: SpentCall[] = []
  const peaks = new Map<string, number>()
  const sums = new Map<string, number>()
  let started = 0

  const add = (atMs: number, tokens: number) => {
    for (const period of periodsOf(atMs)) {
      const sum = (sums.get(period) ?? 0) + tokens
      sums.set(period, sum)
      peaks.set(period, Math.max(peaks.get(period) ?? 0, sum))
    }
  }
  const start = (skewMs = 0): Office => {
    let crashed = false
    const own: Clock = { ...clock, now: () => clock.now() + skewMs }
    const keeper = createBudgetKeeper({
      store: storeIn(rows, { clock, chance, weather: () => place.weather, isCrashed: () => crashed }),
      spentByLog: spentByLog ?? (async () => ({ tokens: 0, microUsd: 0 })),
      warnings: { look: () => {}, refused: () => {}, unpriced: () => {} },
      clock: own,
      chance,
      instanceId: `ins_${++started}`,
      log: silent,
    })
    return { keeper, skewMs, crash: () => (crashed = true), isCrashed: () => crashed }
  }
  const place: City = {
    clock,
    chance,
    calls,
    weather: calm,
    start,
    call: async (office, budgets, { tokens, used, holdMs }) => {
      try {
        const result = await office.keeper.reserve({
          tenantId: 'ten_a',
          subjects: [{ subject: { kind: 'tenant' }, budgets }],
          warnPercents: [],
          cost: { tokens, microUsd: 0 },
        })
        if (result.kind !== 'reserved' || office.isCrashed()) return
        const call: SpentCall = { atMs: clock.now() + office.skewMs, reserved: tokens, used: undefined }
        calls.push(call)
        add(call.atMs, tokens)
        await clock.sleep(holdMs)
        if (office.isCrashed()) return
        call.used = used
        add(call.atMs, used - tokens)
        result.reservation.settle({ tokens: used, microUsd: 0 })
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error
      }
    },
    peakOf: (period) =>
      Math.max(0, ...[...peaks].filter(([name]) => name.length === lengthOf[period]).map(([, peak]) => peak)),
  }
  return place
}

const lengthOf = { day: '2026-01-01'.length, month: '2026-01'.length }
const periodsOf = (atMs: number) => {
  const text = new Date(atMs).toISOString()
  return [text.slice(0, lengthOf.day), text.slice(0, lengthOf.month)]
}

function storeIn(
  rows: Map<string, Row>,
  {
    clock,
    chance,
    weather,
    isCrashed,
  }: { clock: Clock; chance: Chance; weather: () => Weather; isCrashed: () => boolean },
): BudgetStore {
  const travel = async () => {
    const { latencyMsMax, refused, late } = weather()
    await clock.sleep(chance.fraction() * latencyMsMax)
    if (isCrashed() || chance.fraction() < refused) throw new Error('simulated: storage refused')
    if (chance.fraction() < late) await clock.sleep(1_500 + chance.fraction() * 2_000)
  }
  const travelBack = async () => {
    if (chance.fraction() < weather().answerLost) throw new Error('simulated: the answer was lost')
    await clock.sleep(chance.fraction() * weather().latencyMsMax)
  }
  return {
    read: async ({ tenantId }, subject) => {
      await travel()
      const row = rows.get(`${tenantId}/${subjectName(subject)}`)
      await travelBack()
      return row && { state: decodeBudget(JSON.parse(row.text)), tag: String(row.version) }
    },
    write: async ({ tenantId }, subject, { state, tag }) => {
      const text = JSON.stringify(encodeBudget(state))
      await travel()
      const name = `${tenantId}/${subjectName(subject)}`
      const row = rows.get(name)
      if ((row && String(row.version)) !== tag) return { kind: 'lost-race' }
      const version = (row?.version ?? 0) + 1
      rows.set(name, { text, version })
      await travelBack()
      return { kind: 'written', tag: String(version) }
    },
  }
}
