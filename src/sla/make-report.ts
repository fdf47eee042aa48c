import type { TenantId } from '../base/ids'
import { LatencySketch } from '../usage/latency-sketch'
import { burnRate } from './burn-rate'
import {
  classify,
  exclusionNames,
  exclusions,
  measuredOf,
  sketchFor,
  tallyOf,
  type Circumstances,
  type Exclusion,
} from './classify'
import type { Incident } from './incident'
import type { Maintenance } from './maintenance'
import type { UsagePiece } from './minute-counts'
import { monthStartMs } from './month'
import { concerns, goodShareOf, P95_SHARE, type Objective } from './objective'
import type { ReportDay, ReportedObjective, SlaReport } from './sla-report'
import { incidentView, iso, maintenanceView, objectiveView } from './sla-view'
import { isEmpty, noCalls, plus, type Tally } from './tally'

export interface ReportInput {
  readonly tenantId: TenantId
  readonly month: string
  /** Exclusive end of what counts: the month's, or now. */
  readonly toMs: number
  readonly state: SlaReport['state']
  readonly objectives: readonly Objective[]
  /** Of that span, in any order. */
  readonly pieces: AsyncIterable<UsagePiece> | Iterable<UsagePiece>
  readonly circumstances: Circumstances
  readonly incidents: readonly Incident[]
  readonly maintenance: readonly Maintenance[]
  readonly madeAtMs: number
}

const DAY_MS = 86_400_000

/**
 * The report of a month, as a pure function of its usage: made anew of the same it is the same. Memory: a sketch for each objective of
 * latency and day.
 */
export async function makeReport(input: ReportInput): Promise<SlaReport> {
  const { tenantId, month, toMs, state, objectives, pieces, circumstances, incidents, maintenance, madeAtMs } = input
  const sums = objectives.map((objective) => new ObjectiveSum(objective, circumstances))
  const calls = new CallSum(circumstances)
  for await (const piece of pieces) {
    calls.add(piece)
    for (const sum of sums) sum.add(piece)
  }
  const fromMs = monthStartMs(month)
  const days = daysOf(fromMs, toMs)
  return {
    tenantId,
    month,
    from: iso(fromMs),
    to: iso(toMs),
    state,
    madeAt: iso(madeAtMs),
    objectives: sums.map((sum) => sum.report(days)),
    calls: calls.report(),
    incidents: incidents.map(incidentView),
    maintenance: maintenance.map(maintenanceView),
  }
}

function daysOf(fromMs: number, toMs: number): number[] {
  const days: number[] = []
  for (let day = fromMs; day < toMs; day += DAY_MS) days.push(day)
  return days
}

/** Every call of the tenant, whatever is promised of it. */
class CallSum {
  readonly #circumstances: Circumstances
  readonly #excluded = new Map<Exclusion, number>()
  #counted: Tally = noCalls
  #pending = 0

  constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances
  }

  add({ startMs, groups }: UsagePiece): void {
    for (const group of groups) {
      const { counted, excluded, pending } = classify(group, startMs, this.#circumstances)
      this.#counted = plus(this.#counted, counted)
      this.#pending += pending
      for (const [reason, calls] of excluded) this.#excluded.set(reason, (this.#excluded.get(reason) ?? 0) + calls)
    }
  }

  report(): SlaReport['calls'] {
    const counted = this.#counted.good + this.#counted.bad
    const excluded = exclusionNames.map((reason) => ({
      reason,
      calls: this.#excluded.get(reason) ?? 0,
      why: exclusions[reason],
    }))
    const all = counted + this.#pending + excluded.reduce((sum, { calls }) => sum + calls, 0)
    return { all, counted, excluded, pending: this.#pending }
  }
}

interface DaySum {
  tally: Tally
  readonly sketch: LatencySketch
}

class ObjectiveSum {
  readonly #objective: Objective
  readonly #circumstances: Circumstances
  readonly #days = new Map<number, DaySum>()

  constructor(objective: Objective, circumstances: Circumstances) {
    this.#objective = objective
    this.#circumstances = circumstances
  }

  add(piece: UsagePiece): void {
    const tally = tallyOf(this.#objective, piece, this.#circumstances)
    if (isEmpty(tally)) return
    const start = Math.floor(piece.startMs / DAY_MS) * DAY_MS
    let day = this.#days.get(start)
    if (!day) this.#days.set(start, (day = { tally: noCalls, sketch: new LatencySketch() }))
    day.tally = plus(day.tally, tally)
    if (this.#objective.kind === 'availability') return
    for (const group of piece.groups) {
      if (!concerns(this.#objective, group.group)) continue
      const measured = measuredOf(group, piece.startMs, this.#circumstances)
      if (measured) day.sketch.merge(sketchFor(this.#objective.kind, measured))
    }
  }

  report(days: readonly number[]): ReportedObjective {
    const whole = new LatencySketch()
    let all = noCalls
    for (const { tally, sketch } of this.#days.values()) {
      all = plus(all, tally)
      whole.merge(sketch)
    }
    const goodShare = goodShareOf(this.#objective)
    const spentPercent = 100 * burnRate(all, goodShare)
    return {
      objective: objectiveView(this.#objective),
      result: isEmpty(all) ? 'no-calls' : isMet(all, goodShare) ? 'met' : 'missed',
      ...all,
      goodPercent: percentOf(all),
      p95Ms: p95Of(whole),
      errorBudget: {
        calls: rounded((all.good + all.bad) * (1 - goodShare)),
        spent: all.bad,
        spentPercent: rounded(spentPercent),
      },
      days: days.map((start) => dayOf(start, this.#days.get(start))),
    }
  }
}

/** What a product of shares may be off by, in calls. */
const ROUNDING_CALLS = 1e-6

/** Compared in calls: a share as it is rounded for people would let the last bad call pass. */
const isMet = ({ good, bad }: Tally, goodShare: number): boolean =>
  bad <= (1 - goodShare) * (good + bad) + ROUNDING_CALLS

function dayOf(startMs: number, sum: DaySum | undefined): ReportDay {
  const { good, bad } = sum?.tally ?? noCalls
  return {
    date: iso(startMs).slice(0, 10),
    good,
    bad,
    goodPercent: percentOf({ good, bad }),
    p95Ms: sum ? p95Of(sum.sketch) : null,
  }
}

/** Rounded down to a thousandth, so that 100 % and an objective that was met are never shown where they were not reached. */
const percentOf = ({ good, bad }: Tally): number | null =>
  good + bad === 0 ? null : Math.floor((100_000 * good) / (good + bad)) / 1_000

const p95Of = (sketch: LatencySketch): number | null => {
  const p95 = sketch.quantile(P95_SHARE)
  return p95 === undefined ? null : Math.round(p95)
}

const rounded = (value: number) => Math.round(value * 100) / 100
