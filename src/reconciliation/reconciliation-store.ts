import type { StorageAccount } from '../storage/connect'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import { partitionTable, type Columns } from '../storage/partition-table'
import { platformTable } from '../storage/platform-table'
import type { CountedUse } from './counted-use'
import type { Drift, OurUse } from './explain-drift'
import type { ComparedHour } from './judge-drift'

/**
 * What was compared: a partition for each day, a row for each hour, account and deployment in it; and, in the platform's partition, what
 * the comparison remembers between runs. Whatever is written here is written whole and may be written again.
 */
export interface ReconciliationStore {
  putRow(row: ComparedRow): Promise<void>
  /** In order of time, account and deployment. `after` is the `cursor` of the last one of the page before. */
  page(asked: RowsAsked): Promise<readonly StoredRow[]>
  /** Of whole days that ended before, and what was remembered of deployments that had nothing since; how many rows there were. At most `daysMax` days in one call, the oldest first. */
  removeBefore(beforeMs: number, daysMax: number): Promise<number>
  /** How many rows that would be, of at most `daysMax` days. */
  countBefore(beforeMs: number, daysMax: number): Promise<number>
  /** Nothing yet of one that was never compared. */
  window(accountId: string, deployment: string): Promise<DriftWindow>
  putWindow(accountId: string, deployment: string, window: DriftWindow): Promise<void>
  /** Of which deployments something is remembered, read page by page as they are consumed. */
  windows(): AsyncIterable<{ readonly accountId: string; readonly deployment: string }>
  removeWindow(accountId: string, deployment: string): Promise<void>
  /** What cannot be compared, in the order of the keys; an account that was read again is not among them. */
  gaps(): Promise<readonly Gap[]>
  gap(key: string): Promise<Gap | undefined>
  putGap(key: string, gap: Gap): Promise<void>
  removeGap(key: string): Promise<void>
  /** The hour that a look goes on with; undefined when it never ran. */
  next(look: Look): Promise<number | undefined>
  /** Never goes back. */
  advance(look: Look, hourMs: number): Promise<void>
}

/** What a deployment is judged by. */
export interface DriftWindow {
  readonly hours: readonly ComparedHour[]
  /** It has served a batch once: what it serves cannot be told by hours any more. */
  readonly servesBatches: boolean
}

/** Each hour is looked at soon, for alerts, and again when nothing of it comes late any more. */
export const looks = ['first', 'final'] as const
export type Look = (typeof looks)[number]

export interface ComparedRow extends Drift {
  readonly hourMs: number
  /** In lower case, as all ids of Azure here are. */
  readonly accountId: string
  readonly deployment: string
  readonly look: Look
  readonly comparedAtMs: number
  readonly theirs: CountedUse
  readonly ours: OurUse
}

export type StoredRow = ComparedRow & { readonly cursor: string }

/** What is not compared, and why; shown to operators. */
export interface Gap {
  readonly kind: 'no-right' | 'gone' | 'unsupported' | 'no-resource-id' | 'busy'
  /** An account's id, or the address of one whose id is not known. */
  readonly account: string
  readonly detail: string
  /** Unix milliseconds. */
  readonly sinceMs: number
}

export interface RowsAsked {
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
  readonly deployment: string | undefined
  /** Those alone where both sides differ. */
  readonly drifted: boolean
  readonly after: string | undefined
  readonly limit: number
}

export const reconciliationStorage = { tables: ['reconciliation'] } as const

const DAY_MS = 86_400_000
/** More accounts than that are not named one by one. */
const GAPS_MAX = 1_000
const RACES_MAX = 5
const GAP = 'gap_'
const WINDOW = 'window_'
const NEXT = 'next_'
const OLDEST = 'oldest'

export function createReconciliationStore(storage: StorageAccount): ReconciliationStore {
  const table = storage.table('reconciliation')
  const dayOf = (ms: number) => partitionTable<Columns>(table, dayText(ms))
  const own = platformTable<Columns>(table)
  /** The day from which on there may be rows. */
  const oldestDayMs = async () => {
    const row = await own.get(OLDEST)
    return row && fromJsonColumns<number>(row.columns)
  }
  const number = async (rowKey: string) => {
    const row = await own.get(rowKey)
    return row && { value: fromJsonColumns<number>(row.columns), etag: row.etag }
  }
  let isOldestKnown = false
  const noteOldest = async (hourMs: number) => {
    if (isOldestKnown) return
    await own.insert(OLDEST, toJsonColumns(dayStartOf(hourMs)))
    isOldestKnown = true
  }
  const removeWindows = async (beforeMs: number) => {
    let removed = 0
    for await (const { rowKey, columns, etag } of own.range(WINDOW, `${WINDOW}${END}`)) {
      const newest = fromJsonColumns<DriftWindow>(columns).hours.at(-1)
      if (newest && newest.hourMs >= beforeMs) continue
      await own.remove(rowKey, etag)
      removed++
    }
    return removed
  }
  /** Days that may have rows and ended before. */
  const daysBefore = async function* (beforeMs: number, daysMax: number) {
    const oldestMs = await oldestDayMs()
    if (oldestMs === undefined) return
    for (let day = 0, ms = oldestMs; day < daysMax && ms + DAY_MS <= beforeMs; day++, ms += DAY_MS) yield ms
  }

  return {
    putRow: async (row) => {
      await noteOldest(row.hourMs)
      await dayOf(row.hourMs).put(rowKeyOf(row), toJsonColumns(row))
    },
    page: async ({ fromMs, toMs, deployment, drifted, after, limit }) => {
      const found: StoredRow[] = []
      const [afterDay, afterKey] = splitCursor(after)
      const oldestMs = (await oldestDayMs()) ?? toMs
      for (let dayMs = dayStartOf(Math.max(fromMs, oldestMs)); dayMs < toMs; dayMs += DAY_MS) {
        const day = dayText(dayMs)
        if (afterDay !== undefined && day < afterDay) continue
        const first = dayMs < fromMs ? hourText(fromMs) : ''
        const start = day === afterDay && afterKey !== undefined ? `${afterKey} ` : first
        const end = dayMs + DAY_MS > toMs ? hourText(toMs) : END
        for await (const { rowKey, columns } of dayOf(dayMs).range(start, end)) {
          const row = fromJsonColumns<ComparedRow>(columns)
          if (deployment !== undefined && row.deployment !== deployment) continue
          if (drifted && row.parts.length === 0) continue
          if (found.push({ ...row, cursor: `${day}/${rowKey}` }) >= limit) return found
        }
      }
      return found
    },
    removeBefore: async (beforeMs, daysMax) => {
      let removed = 0
      for await (const dayMs of daysBefore(beforeMs, daysMax)) {
        removed += await dayOf(dayMs).removeAll()
        await own.put(OLDEST, toJsonColumns(dayMs + DAY_MS))
        // Of deployments that are gone, there is a window left that nobody will judge by again.
        if (dayMs + 2 * DAY_MS > beforeMs) removed += await removeWindows(beforeMs)
      }
      return removed
    },
    countBefore: async (beforeMs, daysMax) => {
      let count = 0
      for await (const dayMs of daysBefore(beforeMs, daysMax))
        count += await storage.rowsInPartition('reconciliation', dayText(dayMs))
      return count
    },
    window: async (accountId, deployment) => {
      const row = await own.get(WINDOW + placeOf(accountId, deployment))
      return row ? fromJsonColumns<DriftWindow>(row.columns) : { hours: [], servesBatches: false }
    },
    putWindow: (accountId, deployment, window) =>
      own.put(WINDOW + placeOf(accountId, deployment), toJsonColumns(window)),
    windows: async function* () {
      for await (const { rowKey } of own.range(WINDOW, `${WINDOW}${END}`, [])) {
        const place = decodeURIComponent(rowKey.slice(WINDOW.length))
        // No deployment's name has a slash.
        const at = place.lastIndexOf('/')
        yield { accountId: place.slice(0, at), deployment: place.slice(at + 1) }
      }
    },
    removeWindow: (accountId, deployment) => own.remove(WINDOW + placeOf(accountId, deployment)),
    gaps: async () => {
      const found: Gap[] = []
      for await (const { columns } of own.range(GAP, `${GAP}${END}`))
        if (found.push(fromJsonColumns<Gap>(columns)) >= GAPS_MAX) break
      return found
    },
    gap: async (key) => {
      const row = await own.get(GAP + safe(key))
      return row && fromJsonColumns<Gap>(row.columns)
    },
    putGap: (key, gap) => own.put(GAP + safe(key), toJsonColumns(gap)),
    removeGap: (key) => own.remove(GAP + safe(key)),
    next: async (look) => (await number(NEXT + look))?.value,
    advance: async (look, hourMs) => {
      for (let race = 0; race < RACES_MAX; race++) {
        const known = await number(NEXT + look)
        if (known && known.value >= hourMs) return
        const columns = toJsonColumns(hourMs)
        const result = await (known ? own.replace(NEXT + look, columns, known.etag) : own.insert(NEXT + look, columns))
        if (result.kind === 'written') return
      }
    },
  }
}

/** Above every key here. */
const END = '~'

const dayStartOf = (ms: number) => Math.floor(ms / DAY_MS) * DAY_MS
const dayText = (ms: number) => new Date(ms).toISOString().slice(0, 10)
/** `07`, of the day. */
const hourText = (ms: number) => new Date(ms).toISOString().slice(11, 13)

/** Keys take no slashes (Azure Tables, "Understanding the Table service data model"). */
const safe = (key: string) => encodeURIComponent(key)
const placeOf = (accountId: string, deployment: string) => safe(`${accountId}/${deployment}`)
const rowKeyOf = ({ hourMs, accountId, deployment }: ComparedRow) =>
  `${hourText(hourMs)}_${placeOf(accountId, deployment)}`

function splitCursor(cursor: string | undefined): readonly [string | undefined, string | undefined] {
  const at = cursor?.indexOf('/') ?? -1
  return cursor === undefined || at < 0 ? [undefined, undefined] : [cursor.slice(0, at), cursor.slice(at + 1)]
}
