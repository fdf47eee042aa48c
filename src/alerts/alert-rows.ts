import { hash } from 'node:crypto'
import type { TenantId } from '../base/ids'
import type { Columns } from '../storage/partition-table'
import type { Alert } from './alert'
import { severities } from './severity'

/**
 * How alerts lie in the platform's partition of their table:
 * A1 `alert-{key}` is the alert itself, and the only row by which changes are compared and swapped.
 * A2 `live-…` or `past-…` is its one place in the operators' list, `{tenant}-live-…` or `{tenant}-past-…` in its tenant's where
 *    the tenant may see it. They change in one transaction with the alert, so that no list shows it twice or not at all.
 * A3 `tell-…` says what others are to be told of it. It is written in the same transaction as the change and removed when the
 *    notice is in the outbox, so that no crash comes between an alert and those who wait for it.
 */
export const alertRow = (key: string) => `alert-${key}`

/** Slashes may come percent-encoded where the id was a path's: of a segment some hosts decode everything but them. */
export const alertKey = (id: string): string =>
  hash('sha256', id.replaceAll(/%2f/gi, '/'), 'hex').slice(0, KEY_CHARACTERS)

const KEY_CHARACTERS = 40

/** Where the alert stands in a list: what is not over first, the worst and of those the newest first. */
export function placeOf({ state, severity, raisedAt, history }: Alert, key: string): string {
  if (state !== 'resolved')
    return `live-${severities.length - severities.indexOf(severity)}-${backwards(raisedAt)}-${key}`
  return `past-${backwards(history.at(-1)?.at ?? raisedAt)}-${key}`
}

/** The rows in which the alert is listed. */
export function placesOf(alert: Alert, key: string): readonly string[] {
  const place = placeOf(alert, key)
  return alert.audience === 'tenant' && alert.tenantId !== undefined ? [place, `${alert.tenantId}-${place}`] : [place]
}

/** What lists can choose by without reading the alerts. */
export const placeColumns = ({ kind, state, tenantId }: Alert, key: string): Columns => ({ key, kind, state, tenantId })

/** The rows of a list: of all, or of one tenant's; of those that are over, of the others, or of both. */
export function listBounds(of: TenantId | undefined, which: 'live' | 'past' | 'all'): { from: string; to: string } {
  const start = of === undefined ? '' : `${of}-`
  const end = (name: string) => `${start}${name}.`
  return { from: `${start}${which === 'past' ? 'past-' : 'live-'}`, to: end(which === 'live' ? 'live' : 'past') }
}

export const TELL = 'tell-'
/** In the order of time. */
export const tellRow = (atMs: number, key: string, event: string) => `${TELL}${digits(atMs)}-${key}-${event}`
export const TELL_END = 'tell.'

/** The time of a resolved alert, in the row of its place. */
export const pastBefore = (beforeMs: number) => ({ from: `past-${backwards(beforeMs)}`, to: 'past.' })

const TIME_MS_MAX = 9_999_999_999_999
const digits = (ms: number) => String(Math.trunc(ms)).padStart(13, '0')
const backwards = (ms: number) => digits(TIME_MS_MAX - ms)
