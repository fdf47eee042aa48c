import type { TenantId } from '../base/ids'
import { burningBy, burnRate, type Burning } from './burn-rate'
import { incidentIdOf, type EndReason, type Evidence, type Incident, type IncidentSeverity } from './incident'
import { addCounts, startMsOf, type Minute, type MinuteCounts } from './minute-counts'
import { countKey, goodShareOf, type Objective } from './objective'
import type { OpenIncident } from './sla-state'
import { isEmpty } from './tally'
import { countedUpTo, countsAt, type KnownCounts } from './window-counts'

/**
 * The life of an incident, minute by minute. Pure: of the same counts the same incidents, however many minutes a run judges and
 * however often it is repeated.
 *
 * It opens where a rule of burn-rate.ts burns, with the first bad minute that no CALM_MINUTES_APART good ones separate from that. It
 * closes when the last CALM_MINUTES burned less than the budget allows for good and no rule burns any more, which is well below what opened
 * it, so that it does not flap; or when nobody has called for SILENCE_MINUTES. Its end is where the good stretch begins.
 */
export const CALM_MINUTES = 15
export const SILENCE_MINUTES = 60
const CALM_MINUTES_APART = 5
/** How far back the beginning and the end of an incident are looked for. Within what is read again. */
const LOOK_BACK_MINUTES = 30

export interface Judged {
  readonly open: OpenIncident | undefined
  readonly happened: readonly Happening[]
}

export interface Happening {
  readonly kind: 'opened' | 'worsened' | 'closed'
  readonly incident: Incident
}

interface JudgedObjective {
  readonly tenantId: TenantId
  readonly objective: Objective
  readonly known: KnownCounts
  readonly open: OpenIncident | undefined
}

/** Judges every minute from `fromMinute` up to, not including, `toMinute`. */
export function judgeObjective(
  judged: JudgedObjective,
  { fromMinute, toMinute }: { readonly fromMinute: Minute; readonly toMinute: Minute },
): Judged {
  const happened: Happening[] = []
  let { open } = judged
  for (let minute = fromMinute; minute < toMinute; minute++) {
    const burning = burningBy(countedUpTo(judged.known, minute), goodShareOf(judged.objective))
    if (!open) {
      if (!burning) continue
      open = opened(judged, minute, burning)
      happened.push({ kind: 'opened', incident: withEvidence(judged, open, minute) })
      continue
    }
    if (burning?.rule.name === 'fast' && open.incident.severity !== 'critical') {
      open = { ...open, incident: { ...open.incident, severity: 'critical' } }
      happened.push({ kind: 'worsened', incident: withEvidence(judged, open, minute) })
    }
    if (isBad(judged, minute)) open = { ...open, lastBadMinute: minute }
    const end = burning ? undefined : endOf(judged, open, minute)
    if (!end) continue
    happened.push({ kind: 'closed', incident: closed(withEvidence(judged, open, minute), end, minute) })
    open = undefined
  }
  if (!open) return { open, happened }
  return { open: { ...open, incident: withEvidence(judged, open, toMinute - 1) }, happened }
}

/** Of an objective that is not promised any more. */
export function abandon(open: OpenIncident, minute: Minute): Happening {
  const end: End = { minute: open.lastBadMinute + 1, why: 'objective-changed' }
  return { kind: 'closed', incident: closed(open.incident, end, minute) }
}

function opened({ tenantId, objective, known }: JudgedObjective, minute: Minute, burning: Burning): OpenIncident {
  const detectedAt = startMsOf(minute + 1)
  const { rule, longBurn, shortBurn } = burning
  const { firstBad, lastBad } = badStretch({ objective, known }, minute)
  const incident: Incident = {
    id: incidentIdOf(tenantId, countKey(objective), detectedAt),
    tenantId,
    objective,
    severity: severityOf[rule.name],
    detection: { rule: rule.name, at: detectedAt, longBurn: rounded(longBurn), shortBurn: rounded(shortBurn) },
    startedAt: startMsOf(firstBad),
    evidence: noEvidence,
    revision: 0,
  }
  return { incident, lastBadMinute: lastBad, sealed: noEvidence }
}

const severityOf = { fast: 'critical', slow: 'warning' } as const satisfies Record<string, IncidentSeverity>

type Counted = Pick<JudgedObjective, 'objective' | 'known'>

const isBad = ({ objective, known }: Counted, minute: Minute): boolean => isBadFor(objective, countsAt(known, minute))

/** Whether the budget burned in that minute. */
const isBadFor = (objective: Objective, { tally }: MinuteCounts): boolean =>
  burnRate(tally, goodShareOf(objective)) >= 1

/** The bad minutes that lead up to `minute`, without a good stretch between them; silence separates nothing. */
function badStretch(counted: Counted, minute: Minute): { firstBad: Minute; lastBad: Minute } {
  let firstBad = minute
  let lastBad: Minute | undefined
  let goodMinutes = 0
  for (let at = minute; at > minute - LOOK_BACK_MINUTES && goodMinutes < CALM_MINUTES_APART; at--) {
    if (isBad(counted, at)) {
      firstBad = at
      lastBad ??= at
      goodMinutes = 0
    } else if (!isEmpty(countsAt(counted.known, at).tally)) goodMinutes++
  }
  return { firstBad, lastBad: lastBad ?? minute }
}

interface End {
  /** The first that is not part of it any more. */
  readonly minute: Minute
  readonly why: EndReason
}

function endOf(counted: Counted, { lastBadMinute, incident }: OpenIncident, minute: Minute): End | undefined {
  const countedIn = countedUpTo(counted.known, minute)
  const goodShare = goodShareOf(counted.objective)
  const lately = countedIn(CALM_MINUTES)
  if (!isEmpty(lately)) {
    if (minute + 1 < calmFrom(incident) || burnRate(lately, goodShare) >= 1) return undefined
    return { minute: goodFrom(counted, minute), why: 'recovered' }
  }
  return isEmpty(countedIn(SILENCE_MINUTES)) ? { minute: lastBadMinute + 1, why: 'silence' } : undefined
}

/** Not before it has been open for as long as the calm has to last: what came before it opened is no sign that it is over. */
const calmFrom = ({ detection }: Incident): Minute => detection.at / startMsOf(1) + CALM_MINUTES

/** Where the longest stretch begins that ends with `minute` and, all in all, is good. */
function goodFrom({ objective, known }: Counted, minute: Minute): Minute {
  const goodShare = goodShareOf(objective)
  const countedIn = countedUpTo(known, minute)
  let length = CALM_MINUTES
  while (length < LOOK_BACK_MINUTES && burnRate(countedIn(length + 1), goodShare) < 1) length++
  return minute - length + 1
}

function closed(incident: Incident, { minute, why }: End, atMinute: Minute): Incident {
  const at = Math.max(startMsOf(minute), incident.startedAt)
  return { ...incident, end: { at, closedAt: startMsOf(atMinute + 1), why } }
}

const noEvidence: Evidence = { badMinutes: 0, good: 0, bad: 0, outcomes: {}, deployments: {} }

/** With the bad minutes up to `minute`: those that were sealed, and those that were read just now. */
function withEvidence({ objective, known }: Counted, open: OpenIncident, minute: Minute): Incident {
  const span = { fromMinute: known.fromMinute, toMinute: minute + 1 }
  return { ...open.incident, evidence: addMinutes({ objective, known }, open, span) }
}

/** For minutes that are not read again. */
export const sealEvidence = (counted: Counted, open: OpenIncident, untilMinute: Minute): OpenIncident => ({
  ...open,
  sealed: addMinutes(counted, open, { fromMinute: counted.known.fromMinute, toMinute: untilMinute }),
})

function addMinutes(
  { objective, known }: Counted,
  { sealed, incident }: OpenIncident,
  { fromMinute, toMinute }: { readonly fromMinute: Minute; readonly toMinute: Minute },
): Evidence {
  let badMinutes = sealed.badMinutes
  const { good, bad } = sealed
  let counts: MinuteCounts = { tally: { good, bad }, outcomes: sealed.outcomes, deployments: sealed.deployments }
  const first = Math.max(fromMinute, incident.startedAt / startMsOf(1))
  for (let at = first; at < toMinute; at++) {
    const minute = countsAt(known, at)
    if (!isBadFor(objective, minute)) continue
    badMinutes++
    counts = addCounts(counts, minute)
  }
  const { tally, outcomes, deployments } = counts
  return { badMinutes, ...tally, outcomes, deployments }
}

/** Two digits behind the point are more than anybody reads. */
const rounded = (burn: number) => Math.round(burn * 100) / 100
