import type { TenantId } from '../base/ids'
import type { AlertKind } from './alert-kinds'
import { isWorse, type Severity } from './severity'

/**
 * Something that somebody has to look at. Raised again under the same id it is the same alert, seen once more; raised again after
 * it was resolved it is open again, as another episode.
 */
export interface Alert {
  /** Names what is wrong for good: `undo-failed/onb_…/models`. */
  readonly id: string
  readonly kind: AlertKind
  readonly tenantId?: TenantId | undefined
  readonly severity: Severity
  readonly title: string
  /** What is known and what to do; no content, no secrets. */
  readonly detail: string
  /** Figures that show it: numbers and ids. */
  readonly evidence?: Json | undefined
  /** Whom else it concerns: `tenant` is for the tenant's own people, too. Absent: operators alone. */
  readonly audience?: 'tenant' | undefined
  readonly state: AlertState
  /** 1 for the first time that it was wrong. */
  readonly episode: number
  /** When this episode began, Unix milliseconds. */
  readonly raisedAt: number
  readonly lastSeenAt: number
  /** In this episode. */
  readonly timesSeen: number
  /** The newest last; the oldest are forgotten. */
  readonly history: readonly AlertChange[]
}

export const alertStates = [
  /** Nobody has said that they look at it. */
  'open',
  /** Somebody looks at it. */
  'acknowledged',
  /** What it does to others is held off; the cause is still there. */
  'mitigated',
  /** Over. */
  'resolved',
] as const
export type AlertState = (typeof alertStates)[number]

/** Where the alert went, when, and by whom: `platform`, or an operator's name. */
export interface AlertChange {
  readonly at: number
  readonly to: AlertState
  readonly episode: number
  readonly by: string
  readonly note?: string | undefined
}

export type RaisedAlert = Pick<
  Alert,
  'id' | 'kind' | 'tenantId' | 'severity' | 'title' | 'detail' | 'evidence' | 'audience'
>

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** What of an alert's life others are told. `worsened`: it is more severe than what they were told. */
export type AlertEvent = 'opened' | 'worsened' | 'mitigated' | 'resolved'

/** An alert as it is now, and what others are to be told of the change. */
export interface AlertStep {
  readonly alert: Alert
  readonly event?: AlertEvent | undefined
}

/** Who makes a change, and what they say about it. */
export interface Remark {
  readonly by: string
  readonly note?: string | undefined
}

export const PLATFORM = 'platform'
/** Of changes kept in an alert's history. */
export const HISTORY_MAX = 20
export const NOTE_CHARACTERS_MAX = 500
/** Longer texts are cut: an alert that is too long must not be lost. */
export const TITLE_CHARACTERS_MAX = 300
export const DETAIL_CHARACTERS_MAX = 4_000
/** Of its JSON; more is left out, and `leftOut` says so. */
export const EVIDENCE_CHARACTERS_MAX = 20_000

/**
 * Seen, for the first time or again. What is worse than what was acknowledged or mitigated is open again: nobody has looked
 * at that yet.
 */
export function raised(known: Alert | undefined, raise: RaisedAlert, nowMs: number): AlertStep {
  const seen = bounded(raise)
  if (!known || known.state === 'resolved') {
    const episode = (known?.episode ?? 0) + 1
    const alert: Alert = {
      ...seen,
      state: 'open',
      episode,
      raisedAt: nowMs,
      lastSeenAt: nowMs,
      timesSeen: 1,
      history: known?.history ?? [],
    }
    return { alert: withChange(alert, 'open', { by: PLATFORM }, nowMs), event: 'opened' }
  }
  const { state, episode, raisedAt, history } = known
  const isWorsened = isWorse(seen.severity, known.severity)
  // Within an episode it only grows: what goes up and down must not wake anybody each time that it goes up.
  const severity = isWorsened ? seen.severity : known.severity
  const timesSeen = known.timesSeen + 1
  const alert: Alert = { ...seen, severity, state, episode, raisedAt, lastSeenAt: nowMs, timesSeen, history }
  if (!isWorsened) return { alert }
  return { alert: withChange(alert, 'open', { by: PLATFORM, note: `now ${seen.severity}` }, nowMs), event: 'worsened' }
}

/** Undefined where there is nothing to acknowledge: it is over, mitigated, or somebody has done it already. */
export function acknowledged(known: Alert | undefined, remark: Remark, nowMs: number): AlertStep | undefined {
  return known?.state === 'open' ? { alert: withChange(known, 'acknowledged', remark, nowMs) } : undefined
}

/** Undefined where there is nothing to mitigate. What is mitigated already is told to nobody again; another note stays in its history. */
export function mitigated(known: Alert | undefined, remark: Remark, nowMs: number): AlertStep | undefined {
  if (!known || known.state === 'resolved') return undefined
  if (known.state === 'mitigated') {
    const isNew = remark.note !== undefined && remark.note !== known.history.at(-1)?.note
    return isNew ? { alert: withChange(known, 'mitigated', remark, nowMs) } : undefined
  }
  return { alert: withChange(known, 'mitigated', remark, nowMs), event: 'mitigated' }
}

/** Undefined where there is nothing to resolve. */
export function resolved(known: Alert | undefined, remark: Remark, nowMs: number): AlertStep | undefined {
  if (!known || known.state === 'resolved') return undefined
  return { alert: withChange(known, 'resolved', remark, nowMs), event: 'resolved' }
}

function withChange(alert: Alert, to: AlertState, { by, note }: Remark, nowMs: number): Alert {
  const said = note === undefined ? {} : { note: cut(note, NOTE_CHARACTERS_MAX) }
  const change: AlertChange = { at: nowMs, to, episode: alert.episode, by, ...said }
  return { ...alert, state: to, history: [...alert.history, change].slice(-HISTORY_MAX) }
}

function bounded({ evidence, ...raise }: RaisedAlert): RaisedAlert {
  const shown = evidence === undefined || JSON.stringify(evidence).length <= EVIDENCE_CHARACTERS_MAX
  return {
    ...raise,
    title: cut(raise.title, TITLE_CHARACTERS_MAX),
    detail: cut(raise.detail, DETAIL_CHARACTERS_MAX),
    ...(evidence === undefined ? {} : { evidence: shown ? evidence : { leftOut: true } }),
  }
}

const cut = (text: string, charactersMax: number) =>
  (text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`).toWellFormed()
