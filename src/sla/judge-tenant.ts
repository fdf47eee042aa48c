import type { TenantId } from '../base/ids'
import { LONGEST_WINDOW_MINUTES, spentShare } from './burn-rate'
import type { Incident } from './incident'
import { abandon, judgeObjective, sealEvidence, type Happening } from './judge-objective'
import { startMsOf, type Minute, type MinuteCounts } from './minute-counts'
import { monthOf } from './month'
import { countKey, goodShareOf, type Objective } from './objective'
import { BUCKET_MINUTES, freshFrom, type Bucket, type ObjectiveState, type SlaState, type Telling } from './sla-state'
import { noCalls, plus, type Tally } from './tally'
import { sealBuckets, type KnownCounts } from './window-counts'

/**
 * One run of the timer for one tenant. Pure. Of the state that it is given and the usage that was read it makes the next state and
 * the incidents that have changed; both are written in one transaction, so a run counts whole or not at all.
 */
export interface TenantRun {
  readonly tenantId: TenantId
  readonly objectives: readonly Objective[]
  readonly state: SlaState
  /** For objectives that the state knows nothing of, or nothing that still holds. */
  readonly seeds: ReadonlyMap<string, ObjectiveState>
  /** By count key: the minutes from `freshFrom(state.throughMinute)` up to `toMinute`, or further. */
  readonly counted: ReadonlyMap<string, ReadonlyMap<Minute, MinuteCounts>>
  /** The first that is not over yet. */
  readonly toMinute: Minute
}

/** Where nobody can be told for long, the oldest news go first; the incidents themselves stay. */
const UNTOLD_MAX = 50

interface TenantJudged {
  readonly state: SlaState
  /** As they are now; each once. */
  readonly changed: readonly Incident[]
}

/** A budget counts as overspent from so many bad calls and so much of the month on: before, it says more of chance than of us. */
const OVERSPENT_BAD_CALLS_MIN = 20
const OVERSPENT_MINUTES_MIN = 3 * 24 * 60

export function judgeTenant(run: TenantRun): TenantJudged {
  const { objectives, state, toMinute } = run
  const happened: Happening[] = []
  const told: Telling[] = []
  const next: Record<string, ObjectiveState> = {}
  const stillOpen: Incident[] = []

  for (const objective of objectives) {
    const key = countKey(objective)
    const before = run.seeds.get(key) ?? state.objectives[key] ?? unknown(state.throughMinute)
    const { after, ...judged } = runObjective(run, objective, before)
    happened.push(...judged.happened)
    if (after.open) stillOpen.push(after.open.incident)
    const overspent = overspentOf(objective, after, { month: judged.month, toMinute })
    if (overspent) told.push(overspent)
    next[key] = overspent ? { ...after, toldOverspent: overspent.month } : after
  }
  for (const [key, { open }] of Object.entries(state.objectives))
    if (!next[key] && open) happened.push(abandon(open, toMinute))

  const before = new Map(
    Object.values(state.objectives).flatMap(({ open }) => (open ? [[open.incident.id, open.incident]] : [])),
  )
  const latest = new Map(
    [...happened.map(({ incident }) => incident), ...stillOpen].map((incident) => [incident.id, incident]),
  )
  const changed = [...latest.values()].flatMap((incident) => newRevision(before.get(incident.id), incident))
  const revised = new Map(changed.map((incident) => [incident.id, incident]))
  return {
    state: {
      throughMinute: toMinute,
      objectives: mapOpen(next, (incident) => revised.get(incident.id) ?? before.get(incident.id) ?? incident),
      untold: [
        ...state.untold,
        ...happened.map(({ kind, incident }): Telling => ({
          kind,
          incident: { ...incident, revision: revised.get(incident.id)?.revision ?? incident.revision },
        })),
        ...told,
      ].slice(-UNTOLD_MAX),
    },
    changed,
  }
}

function runObjective(
  { tenantId, state, counted, toMinute }: TenantRun,
  objective: Objective,
  before: ObjectiveState,
): { after: ObjectiveState; happened: readonly Happening[]; month: Tally & { month: string } } {
  const fromMinute = freshFrom(state.throughMinute)
  const untilMinute = freshFrom(toMinute)
  const minutes = counted.get(countKey(objective)) ?? new Map<Minute, MinuteCounts>()
  const known: KnownCounts = { buckets: before.buckets, fromMinute, minutes }
  const { open, happened } = judgeObjective(
    { tenantId, objective, known, open: before.open },
    { fromMinute: state.throughMinute, toMinute },
  )
  const month = monthSoFar(before.month, known, { fromMinute, toMinute })
  const sinceMinute = toMinute - LONGEST_WINDOW_MINUTES - BUCKET_MINUTES
  const sealed = open && sealEvidence({ objective, known }, open, untilMinute)
  const after: ObjectiveState = {
    buckets: sealBuckets(known, { untilMinute, sinceMinute }),
    month: monthSoFar(before.month, known, { fromMinute, toMinute: untilMinute }),
    ...(sealed ? { open: sealed } : {}),
    ...(before.toldOverspent === undefined ? {} : { toldOverspent: before.toldOverspent }),
  }
  return { after, happened, month }
}

/** The calls of the month in which the span ends, or of that which was known where that is later. */
function monthSoFar(
  known: ObjectiveState['month'],
  { minutes }: KnownCounts,
  { fromMinute, toMinute }: { readonly fromMinute: Minute; readonly toMinute: Minute },
): ObjectiveState['month'] {
  const last = monthOf(startMsOf(Math.max(fromMinute, toMinute - 1)))
  const month = last > known.month ? last : known.month
  let sum: Tally = month === known.month ? known : noCalls
  for (const [minute, { tally }] of minutes)
    if (minute >= fromMinute && minute < toMinute && monthOf(startMsOf(minute)) === month) sum = plus(sum, tally)
  return { month, good: sum.good, bad: sum.bad }
}

function overspentOf(
  objective: Objective,
  { toldOverspent }: ObjectiveState,
  { month: counted, toMinute }: { readonly month: Tally & { month: string }; readonly toMinute: Minute },
): Extract<Telling, { kind: 'overspent' }> | undefined {
  const { month, good, bad } = counted
  if (toldOverspent === month || bad < OVERSPENT_BAD_CALLS_MIN) return undefined
  if (startMsOf(toMinute) < Date.parse(`${month}-01T00:00:00Z`) + startMsOf(OVERSPENT_MINUTES_MIN)) return undefined
  if (spentShare({ good, bad }, goodShareOf(objective)) <= 1) return undefined
  return { kind: 'overspent', objective, month, counted: { good, bad } }
}

const unknown = (throughMinute: Minute): ObjectiveState => ({
  buckets: [],
  month: { month: monthOf(startMsOf(freshFrom(throughMinute))), ...noCalls },
})

/** With the next number, where it is another one than before. */
function newRevision(before: Incident | undefined, now: Incident): Incident[] {
  const revision = (before?.revision ?? 0) + 1
  return before && JSON.stringify({ ...now, revision: before.revision }) === JSON.stringify(before)
    ? []
    : [{ ...now, revision }]
}

const mapOpen = (
  states: Readonly<Record<string, ObjectiveState>>,
  of: (incident: Incident) => Incident,
): Record<string, ObjectiveState> =>
  Object.fromEntries(
    Object.entries(states).map(([key, state]) => [
      key,
      state.open ? { ...state, open: { ...state.open, incident: of(state.open.incident) } } : state,
    ]),
  )

/** Of an objective that is new: buckets for its windows, and the month's calls so far. */
export function seedOf(
  minutes: ReadonlyMap<Minute, MinuteCounts>,
  hoursOfMonth: ReadonlyMap<Minute, MinuteCounts>,
  throughMinute: Minute,
): ObjectiveState {
  const untilMinute = freshFrom(throughMinute)
  const sinceMinute = seedFrom(throughMinute)
  const buckets: Bucket[] = sealBuckets({ buckets: [], fromMinute: sinceMinute, minutes }, { untilMinute, sinceMinute })
  const month = monthOf(startMsOf(untilMinute))
  let sum: Tally = noCalls
  for (const { tally } of hoursOfMonth.values()) sum = plus(sum, tally)
  return { buckets, month: { month, good: sum.good, bad: sum.bad } }
}

/** From which minute on a new objective's windows have to be read. */
export const seedFrom = (throughMinute: Minute): Minute =>
  freshFrom(throughMinute) - LONGEST_WINDOW_MINUTES - BUCKET_MINUTES
