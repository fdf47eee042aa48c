import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { spread } from '../base/spread'
import { HOUR_MS, type LogBlobId } from '../metering/log-blob-name'
import type { StorageAccount } from '../storage/connect'
import { changesMax, partitionTable, type RowChange } from '../storage/partition-table'
import { hourStartOf, type BlobCursors } from './blob-cursors'
import type { UsageRow } from './roll-up'
import { fromUsageColumns, toUsageColumns, type UsageColumns } from './usage-columns'
import type { UsagePiece } from './usage-reader'
import { decodeGroups, encodeGroups, MINUTE_MS, minuteText, type StoredGroup } from './usage-rows'
import { cursorTable } from './usage-tables'

/**
 * What was rolled up lately, of all tenants together, for those who look at everybody each minute: they read a few pages of notes in
 * place of every tenant's rows. A cross-tenant reader (I4).
 *
 * N1 The roll-up notes what it has changed when the rows are written, and before it forgets that they were to be: whoever dies in
 *    between, the rows are written again, and noted. So what a note tells is there, and nothing is there that is never noted.
 * N2 A note says which is the newest minute that it is about: once a reader has seen that minute to its end, the note has nothing new
 *    for it.
 */
export interface RecentUsage {
  /** For one run over a blob. */
  noter(blobId: LogBlobId): UsageNoter
  /** For one reader, which looks again and again. */
  reader(): RecentUsageReader
  /** Of minutes that nobody asks for any more. Called often, it asks storage once an hour. */
  forgetOld(): Promise<void>
}

export interface UsageNoter {
  /** Rows of one tenant that are written now. Notes many tenants at one time. */
  add(rows: readonly UsageRow[]): Promise<void>
  /** Notes what is left. */
  end(): Promise<void>
}

export interface RecentUsageReader {
  /** `endMs`: up to where usage is looked at this time, a whole minute. */
  look(span: { readonly sinceMs: number; readonly endMs: number }): RecentLook
}

export interface RecentLook {
  /**
   * Whose usage was noted at `sinceMs` or later, each once, in no order. Memory: a sixteenth of what the notes tell, and a page of them for
   * each minute.
   */
  readonly tenants: AsyncIterable<RecentTenant>
  /** All of them were looked at. */
  done(): void
}

export interface RecentTenant {
  readonly tenantId: TenantId
  /** Not all of it had been there for an earlier look of this reader that is done. */
  readonly isNews: boolean
  /** By the minute: all that came in since `sinceMs`, and what else was noted. */
  pieces(): readonly UsagePiece[]
  /** The newest minute of which rows have changed that are not told, since they are old or large; undefined where all are. */
  readonly untoldMs: number | undefined
}

/** Notes are kept so long; whoever has not looked for longer has to ask of all who used anything (`TenantsWithUsage`). */
export const NOTES_KEPT_MS = 2 * HOUR_MS
/** Minutes that are told; of older ones is told that they have changed. */
const TOLD_MINUTES = 5
/** Of one tenant in one note, as JSON. Who has more rows or groups than nearly all is read by itself. */
const TOLD_CHARACTERS_MAX = 8_000
/** Tenants are noted together, by what their ids fall to: a note that is read need not be held until all are. */
const BUCKETS = 16
/** In one request, of a hundred kilobytes mostly. */
const TENANTS_NOTED_MAX = 512
/** Looked at without a turn for anything else: some milliseconds. */
const TENANTS_A_TURN = 64
/** No two clocks of ours differ by more. */
const CLOCKS_APART_MS = MINUTE_MS

/** `rows`: part, minute, position and groups, as in the rows themselves. */
type NotedTenant = readonly [
  tenantId: TenantId,
  untoldMinute: number | null,
  rows: readonly (readonly [part: number, minute: number, position: number, groups: readonly StoredGroup[]])[],
]

interface Note {
  readonly minuteMs: number
  /** `07_202611210159_…`: bucket, newest minute, blob and what it tells; notes of one minute are in order of their buckets. */
  readonly rowKey: string
  readonly columns: UsageColumns
}

export function createRecentUsage({
  storage,
  clock,
  cursors,
}: {
  storage: StorageAccount
  clock: Clock
  cursors: Pick<BlobCursors, 'finishedBefore' | 'finish'>
}): RecentUsage {
  const table = storage.table(cursorTable)
  const notedIn = (minuteMs: number) => partitionTable<UsageColumns>(table, `noted-${minuteText(minuteMs)}`)
  let forgottenToMs = -Infinity

  async function* notesOf(minuteMs: number): AsyncGenerator<Note> {
    for await (const { rowKey, columns } of notedIn(minuteMs).range('', '~')) yield { minuteMs, rowKey, columns }
  }

  return {
    noter: (blobId) => {
      const toldFrom = Math.floor(clock.now() / MINUTE_MS) - TOLD_MINUTES
      let tenants: NotedTenant[] = []
      const end = async () => {
        const notes = notesFor(blobId, tenants, toldFrom)
        tenants = []
        for (let at = 0; at < notes.length; at += changesMax)
          await notedIn(clock.now()).change(notes.slice(at, at + changesMax))
      }
      return {
        add: async (rows) => {
          const [first] = rows
          if (first) tenants.push(notedTenant(first.tenantId, rows, toldFrom))
          if (tenants.length >= TENANTS_NOTED_MAX) await end()
        },
        end,
      }
    },

    reader: () => {
      /** By the minute of the note: what a look that is done has seen all of. */
      const seen = new Map<number, Set<string>>()
      return {
        look: ({ sinceMs, endMs }) => {
          const fromMs = Math.floor((sinceMs - CLOCKS_APART_MS) / MINUTE_MS) * MINUTE_MS
          const read: Pick<Note, 'minuteMs' | 'rowKey'>[] = []
          async function* tenants() {
            let looked = 0
            const sources: AsyncGenerator<Note>[] = []
            for (let ms = fromMs; ms <= clock.now() + CLOCKS_APART_MS; ms += MINUTE_MS) sources.push(notesOf(ms))
            for await (const notes of bucketByBucket(sources)) {
              const found = new Map<TenantId, Gathered>()
              for (const note of notes) gather(found, note, seen.get(note.minuteMs)?.has(note.rowKey) !== true)
              for (const { minuteMs, rowKey } of notes) read.push({ minuteMs, rowKey })
              for (const tenant of found.values()) {
                // Who looks at them has hardly anything to wait for, and calls have.
                if (++looked % TENANTS_A_TURN === 0) await nextTurn()
                yield tenant
              }
            }
          }
          return {
            tenants: tenants(),
            done: () => {
              for (const minuteMs of seen.keys()) if (minuteMs < fromMs) seen.delete(minuteMs)
              for (const { minuteMs, rowKey } of read) {
                if (newestOf(rowKey) >= minuteText(endMs)) continue
                const keys = seen.get(minuteMs) ?? new Set()
                seen.set(minuteMs, keys.add(rowKey))
              }
            },
          }
        },
      }
    },

    forgetOld: async () => {
      const endMs = hourStartOf(clock.now() - NOTES_KEPT_MS)
      if (forgottenToMs >= endMs) return
      const reachedMs = (await cursors.finishedBefore('notes-forgotten')) ?? endMs - HOUR_MS
      for (let ms = reachedMs; ms < endMs; ms += MINUTE_MS) await notedIn(ms).removeAll()
      await cursors.finish('notes-forgotten', endMs)
      forgottenToMs = endMs
    },
  }
}

/**
 * One of each bucket and newest minute; minutes before those that are told count as one. Named by what it tells, so that telling it again
 * changes nothing.
 */
function notesFor(blobId: LogBlobId, tenants: readonly NotedTenant[], toldFrom: number): RowChange<UsageColumns>[] {
  const together = Map.groupBy(tenants, ([tenantId, untoldMinute, rows]) => {
    const newest = Math.max(toldFrom - 1, untoldMinute ?? 0, ...rows.map(([, minute]) => minute))
    return `${String(spread(tenantId, BUCKETS)).padStart(2, '0')}_${minuteText(newest * MINUTE_MS)}`
  })
  return [...together].map(([start, some]) => {
    const columns = toUsageColumns(some)
    assert(columns, 'few tenants are noted together, and little is told of each')
    const told = createHash('sha256').update(JSON.stringify(some)).digest('hex')
    return { kind: 'put', rowKey: `${start}_${blobId}_${told}`, columns }
  })
}

function notedTenant(tenantId: TenantId, rows: readonly UsageRow[], toldFrom: number): NotedTenant {
  const told = rows
    .filter(({ minute }) => minute >= toldFrom)
    .map(({ part, minute, position, groups }) => [part, minute, position, encodeGroups(groups)] as const)
  const isSmall = JSON.stringify(told).length <= TOLD_CHARACTERS_MAX
  const untold = rows.map(({ minute }) => minute).filter((minute) => !isSmall || minute < toldFrom)
  return [tenantId, untold.length > 0 ? Math.max(...untold) : null, isSmall ? told : []]
}

/** What the notes of one bucket tell of a tenant. */
class Gathered implements RecentTenant {
  readonly tenantId: TenantId
  isNews = false
  untoldMs: number | undefined
  /** By blob, minute and part: of two versions the one that depends on more of its blob. */
  readonly #rows = new Map<string, { readonly minute: number; position: number; groups: readonly StoredGroup[] }>()

  constructor(tenantId: TenantId) {
    this.tenantId = tenantId
  }

  add(blobId: string, [, untoldMinute, rows]: NotedTenant): void {
    if (untoldMinute !== null) this.untoldMs = Math.max(this.untoldMs ?? 0, untoldMinute * MINUTE_MS)
    for (const [part, minute, position, groups] of rows) {
      const key = `${blobId} ${minute} ${part}`
      if ((this.#rows.get(key)?.position ?? -1) < position) this.#rows.set(key, { minute, position, groups })
    }
  }

  pieces(): readonly UsagePiece[] {
    return [...this.#rows.values()].map(({ minute, groups }) => ({
      startMs: minute * MINUTE_MS,
      groups: decodeGroups(groups),
    }))
  }
}

function gather(found: Map<TenantId, Gathered>, { rowKey, columns }: Note, isNews: boolean): void {
  const blobId = blobOf(rowKey)
  for (const noted of fromUsageColumns<readonly NotedTenant[]>(columns)) {
    const [tenantId] = noted
    const tenant = found.get(tenantId) ?? new Gathered(tenantId)
    found.set(tenantId, tenant)
    tenant.isNews ||= isNews
    tenant.add(blobId, noted)
  }
}

const bucketOf = ({ rowKey }: Note) => rowKey.slice(0, 2)
const newestOf = (rowKey: string) => rowKey.slice(3, 15)
const blobOf = (rowKey: string) => rowKey.slice(16, rowKey.lastIndexOf('_'))

/** The notes of one bucket after the other, of all minutes together. */
async function* bucketByBucket(sources: readonly AsyncGenerator<Note>[]): AsyncGenerator<readonly Note[]> {
  const nextOf = async (notes: AsyncGenerator<Note>) => ({
    notes,
    first: (await notes.next()).value as Note | undefined,
  })
  let ahead = await Promise.all(sources.map(nextOf))
  for (;;) {
    const [bucket] = ahead.flatMap(({ first }) => (first ? [bucketOf(first)] : [])).toSorted()
    if (bucket === undefined) return
    const its: Note[] = []
    const takeIts = async (head: (typeof ahead)[number]) => {
      while (head.first && bucketOf(head.first) === bucket) {
        its.push(head.first)
        head = await nextOf(head.notes)
      }
      return head
    }
    ahead = await Promise.all(ahead.map(takeIts))
    yield its
  }
}
