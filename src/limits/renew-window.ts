import type { InstanceId } from '../base/ids'
import { advanceWindow, withRefunds, withSpends } from './advance-window'
import { judgeAsk, roomOf, takeRoom, type Ask, type Judging, type Room, type Standing, type Verdict } from './judge-ask'
import { sliceAhead } from './slice-ahead'
import {
  emptySection,
  isNothing,
  nothing,
  resources,
  type Amount,
  type Lease,
  type Section,
  type SectionId,
  type Spend,
  type WindowShape,
  type WindowState,
} from './window-state'

/** What an instance says of one section when it renews. */
export interface SectionReport extends Standing {
  /** Spent since the last renewal, by cell. */
  readonly spends: readonly Spend[]
  /** Tokens to take back out of cells reported earlier. */
  readonly refunds: ReadonlyMap<number, number>
  /** Spent since `spends` was drawn up; stays in the lease until the next renewal. */
  readonly unreported: Amount
  /** Expected to be spent before the next renewal; all zero once idle, which gives everything back. */
  readonly demand: Lease
}

export interface Renewal {
  readonly instanceId: InstanceId
  readonly sequence: number
  readonly reports: ReadonlyMap<SectionId, SectionReport>
  /** Waiting calls, oldest first. */
  readonly asks: readonly Ask[]
  /** `leave` gives back all leases and slots: the instance stops. */
  readonly intent: 'stay' | 'leave'
}

export interface Renewed {
  readonly state: WindowState
  /** One for each ask, in order. */
  readonly verdicts: readonly Verdict[]
  readonly sized: ReadonlyMap<SectionId, LeaseSize>
  /** False when the row need not be written: nothing reported, granted, taken or given back, and the lease is young. */
  readonly changed: boolean
}

/** What is held of a section once the renewal has landed is the sum of the two. */
export interface LeaseSize {
  /** For the granted asks. */
  readonly promised: Lease
  /** For calls to come: all that may be spent while the write is under way. */
  readonly ahead: Lease
}

/** A renewal that changes nothing is written all the same when less than this share of the lease's life is left. */
const RENEW_BELOW_LIFE_SHARE = 0.75

/** Keys and aliases with limits of their own that can be in use at once. With the two below it keeps a row under 48 KB. */
export const OWN_SECTIONS_MAX = 64
/** Instances that can hold leases of one tenant at once. */
export const HOLDERS_MAX = 128
/** Leases of keys and aliases, over all of them and all instances. */
export const OWN_LEASES_MAX = 1_024

/**
 * One compare-and-swap's worth of change: books what the instance spent, decides its waiting calls in order, and sizes
 * its next lease. Pure; the caller has made sure that `held` and the row agree (tenant-lease.ts).
 */
export function renewWindow(
  stored: WindowState,
  renewal: Renewal,
  { nowMs, shape }: { nowMs: number; shape: WindowShape },
): Renewed {
  const state = booked(advanceWindow(stored, { nowMs, shape, spared: renewal.instanceId }), renewal)
  const judging: Judging = { state, instanceId: renewal.instanceId, nowMs, shape }
  const rooms = new Map<SectionId, Room>()
  for (const [sectionId, report] of renewal.reports) {
    if (hasPlace(state, sectionId, renewal.instanceId)) rooms.set(sectionId, roomOf(sectionId, report, judging))
  }
  const verdicts = renewal.asks.map((ask) => {
    const verdict = judgeAsk(ask, rooms, judging)
    if (verdict.kind === 'granted') takeRoom(ask, rooms)
    return verdict
  })

  const holders = new Set(state.holders.keys()).add(renewal.instanceId).size
  const sections = new Map(state.sections)
  const sized = new Map<SectionId, LeaseSize>()
  let moved = false
  for (const [sectionId, report] of renewal.reports) {
    const room = rooms.get(sectionId)
    const promised = room?.taken ?? nothing
    const ahead = room && renewal.intent === 'stay' ? sliceAhead(room, report.demand, holders) : nothing
    sized.set(sectionId, { promised, ahead })
    const section = sections.get(sectionId) ?? emptySection
    sections.set(sectionId, withLease(section, renewal, leaseOf(report, promised, ahead, renewal.intent)))
    moved ||= resources.some((resource) => promised[resource] + ahead[resource] !== report.held[resource])
  }
  const next = withHolder({ ...state, sections }, renewal, nowMs + shape.leaseMs)
  return { state: next, verdicts, sized, changed: moved || hasNews(renewal) || isAgeing(stored, renewal, nowMs, shape) }
}

/** Reported spends move from the lease into their cells, refunds leave theirs, and the lease holds the rest. */
function booked(state: WindowState, { instanceId, reports }: Renewal): WindowState {
  const sections = new Map(state.sections)
  for (const [sectionId, report] of reports) {
    const section = sections.get(sectionId) ?? emptySection
    const spent = withRefunds(withSpends(section.spent, report.spends), report.refunds)
    const lease = leaseOf(report, nothing, report.held, 'stay')
    const changed = withLease({ ...section, spent }, { instanceId }, lease)
    if (changed.spent.length > 0 || changed.leases.size > 0) sections.set(sectionId, changed)
    else sections.delete(sectionId)
  }
  return { ...state, sections }
}

function leaseOf(report: SectionReport, taken: Lease, slice: Lease, intent: Renewal['intent']): Lease {
  if (intent === 'leave') return nothing
  const { unreported, slotsInUse } = report
  return {
    requests: Math.max(0, unreported.requests + taken.requests + slice.requests),
    tokens: Math.max(0, unreported.tokens + taken.tokens + slice.tokens),
    slots: Math.max(0, slotsInUse + taken.slots + slice.slots),
  }
}

function withLease(section: Section, { instanceId }: { instanceId: InstanceId }, lease: Lease): Section {
  const leases = new Map(section.leases)
  if (isNothing(lease)) leases.delete(instanceId)
  else leases.set(instanceId, lease)
  return { ...section, leases }
}

/** The instance stays in the row while it holds anything; sections left with nothing are not kept. */
function withHolder(state: WindowState, { instanceId, sequence }: Renewal, expiresAtMs: number): WindowState {
  const holders = new Map(state.holders)
  const sections = new Map<SectionId, Section>()
  let holds = false
  for (const [sectionId, section] of state.sections) {
    if (section.leases.has(instanceId)) holds = true
    if (section.leases.size > 0 || section.spent.length > 0) sections.set(sectionId, section)
  }
  if (holds) holders.set(instanceId, { sequence, expiresAtMs })
  else holders.delete(instanceId)
  return { ...state, holders, sections }
}

function hasNews({ reports }: Renewal): boolean {
  for (const { spends, refunds } of reports.values()) if (spends.length > 0 || refunds.size > 0) return true
  return false
}

function isAgeing(stored: WindowState, { instanceId, intent }: Renewal, nowMs: number, shape: WindowShape): boolean {
  const holder = stored.holders.get(instanceId)
  return (
    holder !== undefined && (intent === 'leave' || holder.expiresAtMs - nowMs < shape.leaseMs * RENEW_BELOW_LIFE_SHARE)
  )
}

/** Whether one more lease fits the bounds above. */
function hasPlace(state: WindowState, sectionId: SectionId, instanceId: InstanceId): boolean {
  if (!state.holders.has(instanceId) && state.holders.size >= HOLDERS_MAX) return false
  if (sectionId === 'tenant' || state.sections.get(sectionId)?.leases.has(instanceId)) return true
  let ownSections = 0
  let ownLeases = 0
  for (const [otherId, { leases }] of state.sections) {
    if (otherId === 'tenant') continue
    ownSections++
    ownLeases += leases.size
  }
  return ownLeases < OWN_LEASES_MAX && (state.sections.has(sectionId) || ownSections < OWN_SECTIONS_MAX)
}
