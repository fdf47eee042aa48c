import type { Clock } from '../base/clock'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { dayOf, firstDayOf, periodBefore, periodOf, type Day, type Period } from './calendar'

/** How far billing has come. Both only go forward. */
export interface ClosingState {
  /** The month that it began with: the one before it first ran. */
  readonly began: Period
  /** The first day that is not closed: its usage may still grow. */
  readonly openDay: Day
  /** The first month of which not every tenant has its invoice, or is noted as overdue with it. */
  readonly openPeriod: Period
}

export interface Closing {
  read(): Promise<ClosingState>
  /** Whoever is further already has the last word. */
  advance(to: Partial<Pick<ClosingState, 'openDay' | 'openPeriod'>>): Promise<void>
}

const ROW = 'closing'
/** Each lost race was lost to somebody who is as far, or further. */
const ATTEMPTS_MAX = 20

export function createClosing({ rows, clock }: { rows: PartitionTable<Columns>; clock: Clock }): Closing {
  const read = async () => {
    const row = await rows.get(ROW)
    if (row) return { row, state: fromJsonColumns<ClosingState>(row.columns) }
    const began = periodBefore(periodOf(dayOf(clock.now())))
    return { row, state: { began, openDay: firstDayOf(began), openPeriod: began } }
  }
  return {
    read: async () => (await read()).state,
    advance: async (to) => {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const { row, state } = await read()
        const next: ClosingState = {
          ...state,
          openDay: further(state.openDay, to.openDay),
          openPeriod: further(state.openPeriod, to.openPeriod),
        }
        if (row && next.openDay === state.openDay && next.openPeriod === state.openPeriod) return
        const columns = toJsonColumns(next)
        const result = await (row ? rows.replace(ROW, columns, row.etag) : rows.insert(ROW, columns))
        if (result.kind === 'written') return
      }
      throw new Error('others are closing days at the moment')
    },
  }
}

const further = <T extends string>(known: T, to: T | undefined): T => (to !== undefined && to > known ? to : known)
