import { assertNever } from '../base/assert'
import type { LatencySketch } from '../usage/latency-sketch'
import type { GroupSums } from '../usage/usage-sums'
import { concerns, isAwaited, type Objective } from './objective'
import { noCalls, plus, type Tally } from './tally'

/**
 * What counts for a tenant's objectives and what does not. Pure: of the same sums the same verdict, in the timer and in the
 * month's report. The order is that of what excludes most; each call is in exactly one place.
 */
export const exclusions = {
  'not-awaited': 'Nobody waited for it: batches, responses in the background, and what the platform asked for itself.',
  maintenance: 'It came in during a maintenance that was announced a day or more before.',
  'client-error': 'The model refused it as the client wrote it (4xx).',
  'client-gone': 'The client went away before its answer was there.',
  'own-limits':
    'The tenant’s own limits or budgets refused it, its model was asleep as the tenant has it, or its own account does not let the platform in.',
  'own-account': 'It failed at a model account of the tenant’s own.',
} as const
export type Exclusion = keyof typeof exclusions

export const exclusionNames = Object.keys(exclusions) as Exclusion[]

/** What beside the sums decides. */
export interface Circumstances {
  /** Whether a backend lies in an account that is the tenant’s own. */
  readonly isOwnAccount: (backendId: string) => boolean
  /** Whether calls that came in then fall into an announced maintenance, of all or of the region that they were last sent to. */
  readonly isMaintenance: (startMs: number, region: string | null) => boolean
  /**
   * Calls that came in before this and have no end have lost theirs in a crash, and count as bad. Later ones may be under way:
   * they count nowhere yet.
   */
  readonly endedBeforeMs: number
}

export interface Verdict {
  readonly counted: Tally
  readonly excluded: ReadonlyMap<Exclusion, number>
  /** Under way, or not known to be over. */
  readonly pending: number
}

/** Of one group of calls that came in from `startMs` on. */
export function classify({ group, sums }: GroupSums, startMs: number, circumstances: Circumstances): Verdict {
  const all = sums.calls + sums.unsettled + sums.refused + sums.unavailable
  if (!isAwaited(group.operation)) return verdict({ excluded: [['not-awaited', all]] })
  if (circumstances.isMaintenance(startMs, group.region)) return verdict({ excluded: [['maintenance', all]] })
  switch (group.outcome) {
    case 'completed':
      return verdict({ good: sums.calls })
    case 'rejected':
      return verdict({ excluded: [['client-error', sums.calls]] })
    case 'unsettled':
      return startMs < circumstances.endedBeforeMs
        ? verdict({ bad: sums.unsettled })
        : verdict({ pending: sums.unsettled })
    case 'failed':
    case 'interrupted':
    case 'refused':
    case 'unavailable': {
      const { callerFaults, tenantFaults } = sums
      const ours = all - callerFaults - tenantFaults
      const isOwn = group.backend !== null && circumstances.isOwnAccount(group.backend)
      return verdict({
        bad: isOwn ? 0 : ours,
        excluded: [
          ['client-gone', callerFaults],
          ['own-limits', tenantFaults],
          ['own-account', isOwn ? ours : 0],
        ],
      })
    }
    default:
      return assertNever(group.outcome)
  }
}

function verdict({
  good = 0,
  bad = 0,
  pending = 0,
  excluded = [],
}: {
  good?: number
  bad?: number
  pending?: number
  excluded?: readonly (readonly [Exclusion, number])[]
}): Verdict {
  return { counted: { good, bad }, pending, excluded: new Map(excluded.filter(([, calls]) => calls > 0)) }
}

/**
 * How long the calls of a group took, where that counts: of calls that were answered, wholly or in part, by backends that are the
 * platform's to keep fast. Undefined where none does.
 */
export function measuredOf(
  { group, sketches }: GroupSums,
  startMs: number,
  { isOwnAccount, isMaintenance }: Circumstances,
): GroupSums['sketches'] | undefined {
  if (!isAwaited(group.operation) || isMaintenance(startMs, group.region)) return undefined
  if (group.outcome !== 'completed' && group.outcome !== 'interrupted') return undefined
  return group.backend !== null && isOwnAccount(group.backend) ? undefined : sketches
}

/** What the groups of one piece of time are for an objective. */
export function tallyOf(
  objective: Objective,
  { startMs, groups }: { readonly startMs: number; readonly groups: readonly GroupSums[] },
  circumstances: Circumstances,
): Tally {
  const its = groups.filter(({ group }) => concerns(objective, group))
  if (objective.kind === 'availability')
    return its.reduce((sum, group) => plus(sum, classify(group, startMs, circumstances).counted), noCalls)
  const { kind, p95Ms } = objective
  return its.reduce((sum, group) => {
    const measured = measuredOf(group, startMs, circumstances)
    return measured ? plus(sum, withinBound(sketchFor(kind, measured), p95Ms)) : sum
  }, noCalls)
}

export const sketchFor = (kind: 'latency' | 'first-byte', sketches: GroupSums['sketches']): LatencySketch =>
  kind === 'latency' ? sketches.latency : sketches.firstByte

/** Calls within the sketch's error of the bound may count on either side of it. */
function withinBound(sketch: LatencySketch, boundMs: number): Tally {
  const bad = Math.round(sketch.shareAbove(boundMs) * sketch.count)
  return { good: sketch.count - bad, bad }
}
