import type { Interval } from './usage-query'

/** Where a page of a usage query ended: its rows are in the order of their keys, and the next page begins behind `afterKey`. */
export interface UsageCursor {
  readonly fromMs: number
  readonly toMs: number
  readonly afterKey: string
}

/** What the rows of a query are told apart by; a key of others means nothing. */
interface RowsOf {
  readonly groupBy: readonly string[]
  readonly interval: Interval
}

export function writeCursor({ fromMs, toMs, afterKey }: UsageCursor, { groupBy, interval }: RowsOf): string {
  return Buffer.from(JSON.stringify([fromMs, toMs, interval, groupBy, afterKey])).toString('base64url')
}

/**
 * Undefined for anything that is no cursor of such a query. A cursor holds nothing but what its client may ask for anyway: the tenant
 * comes from the credential, and the span is held against the same bounds as one that was written out.
 */
export function readCursor(text: string, { groupBy, interval }: RowsOf): UsageCursor | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
  if (!Array.isArray(value) || value.length !== 5) return undefined
  const [fromMs, toMs, itsInterval, itsGroups, afterKey] = value as readonly unknown[]
  if (!isTime(fromMs) || !isTime(toMs) || typeof afterKey !== 'string') return undefined
  if (itsInterval !== interval || JSON.stringify(itsGroups) !== JSON.stringify(groupBy)) return undefined
  return { fromMs, toMs, afterKey }
}

/** The years 1970 to 9999, which have four digits in keys. */
const TIME_MAX = 253_402_300_799_999
const isTime = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= TIME_MAX
