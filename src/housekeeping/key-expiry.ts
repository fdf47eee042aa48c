import { keyState, type KeyRecord } from '../access/key-record'
import type { Notice } from '../notifications/notice'

const DAY_MS = 86_400_000
/** Days before its end at which a key's tenant is told of it; 0 is the end itself. */
export const EXPIRY_DAYS = [30, 7, 1, 0] as const
export type ExpiryDays = (typeof EXPIRY_DAYS)[number]
/** `2027-01-31` */
const DATE_CHARACTERS = 10
/** After that nobody is told of a key's end any more. Below how long notifications know their ids, or it would be told again. */
const TOLD_AFTER_MS = 7 * DAY_MS

/**
 * The nearest of the days that have come, so that whoever looks late tells one thing and not four. Undefined where nothing is to be
 * told: long before, long after, a key that does not work anyway, or one that was made to live no longer than that. Pure.
 */
export function expiryDaysOf(record: KeyRecord, nowMs: number): ExpiryDays | undefined {
  const { expiresAt, createdAt } = record
  if (expiresAt === undefined || keyState(record, nowMs) === 'revoked') return undefined
  const leftMs = expiresAt - nowMs
  if (leftMs < -TOLD_AFTER_MS) return undefined
  const days = EXPIRY_DAYS.toReversed().find((each) => leftMs <= each * DAY_MS)
  return days === undefined || createdAt > expiresAt - days * DAY_MS ? undefined : days
}

/** What the tenant is told: the same id each time that it would be told the same. */
export function expiryNotice(record: KeyRecord & { readonly expiresAt: number }, days: ExpiryDays): Notice {
  const { tenantId, keyId, name, expiresAt } = record
  const end = new Date(expiresAt).toISOString()
  const title =
    days === 0
      ? `The API key "${name}" has expired`
      : `The API key "${name}" expires on ${end.slice(0, DATE_CHARACTERS)}`
  const text =
    days === 0
      ? `${keyId} stopped working at ${end}. Calls with it are refused. Create a new key and give it to whatever used this one.`
      : `${keyId} stops working at ${end}. Create a new key before then and give it to whatever uses this one; rotating a key does not change when it ends.`
  return {
    id: `key-expiry/${keyId}/${expiresAt}/${days}`,
    kind: 'key-expiry',
    audience: 'tenant',
    tenantId,
    severity: days <= 1 ? 'warning' : 'notice',
    title,
    text,
    data: { keyId, expiresAt: end, days },
  }
}
