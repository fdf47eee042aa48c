import type { Chance } from '../base/chance'
import { encodeBase32 } from '../base/ids'
import type { Clock } from '../base/clock'
import { throwProblem } from '../base/problem'
import { changesMax, type Columns, type PartitionTable, type RowChange } from '../storage/partition-table'
import { emptyChain, entryAfter, type ChainHead } from './audit-entry'
import type { AuditEntry, AuditEvent } from './audit-log'
import { canonicalJson } from './canonical-json'
import { HEAD_ROW, readHead, rowKeyOf } from './chain-rows'

/**
 * Owner: one instance's end of one chain. Entries and the head row that names the last of them are written in one
 * transaction, so the chain has no moment in which they differ.
 *
 * C1 An entry is written by inserting its number's row. Of two writers on the same number one loses, reads the head again
 *    and tries behind it; so however many instances write, there is one chain, without gaps and forks.
 * C2 One transaction of an instance is under way at a time; what arrives meanwhile goes into the next one together.
 * C3 A writer whose transaction was refused looks whether it was its own: the client library repeats a request whose
 *    answer was lost, and the repetition meets what the first one wrote.
 */
export interface ChainWriter {
  append(event: AuditEvent): Promise<AuditEntry>
  /** Whether nothing is under way, so that the writer may be dropped. */
  isIdle(): boolean
}

/** One change of a transaction is the head's. */
const BATCH_ENTRIES_MAX = changesMax - 1
const WAITING_MAX = 2_000
/** Somebody wins each race, so that losing so many means that storage does not do what it says. */
const ATTEMPTS_MAX = 60
/** Races lost at once; from then on the writer steps aside for a moment first. */
const HURRIED_ATTEMPTS = 4
const PAUSE_MS_MAX = 40
const RETRY_AFTER_MS = 1_000
const MARK_BYTES = 10

interface Waiting {
  readonly event: AuditEvent
  readonly resolve: (entry: AuditEntry) => void
  readonly reject: (error: unknown) => void
}

/** The head as storage had it, with the tag that its replacement needs; no tag where there was no head. */
interface KnownHead {
  readonly head: ChainHead
  readonly etag: string | undefined
}

export function createChainWriter({ rows, clock, chance }: ChainWriterDeps): ChainWriter {
  const waiting: Waiting[] = []
  let isWriting = false
  /** From the last transaction, which spares the next one a read. */
  let known: KnownHead | undefined

  const drain = async () => {
    isWriting = true
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH_ENTRIES_MAX)
      try {
        const entries = await write(batch.map(({ event }) => event))
        for (const [i, entry] of entries.entries()) batch[i]?.resolve(entry)
      } catch (error) {
        known = undefined
        for (const { reject } of batch) reject(error)
      }
      // A writer that always knew the head already would win every race against those who have to read it first.
      if (waiting.length > 0) known = undefined
    }
    isWriting = false
  }

  const write = async (events: readonly AuditEvent[]): Promise<readonly AuditEntry[]> => {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (attempt >= HURRIED_ATTEMPTS) await clock.sleep(chance.fraction() * PAUSE_MS_MAX)
      const last = known ?? (await currentHead(rows))
      known = undefined
      const entries = entriesBehind(last.head, events, clock.now())
      const mark = encodeBase32(chance.bytes(MARK_BYTES))
      const result = await rows.change(changesOf(entries, { mark, headEtag: last.etag }))
      if (result.kind === 'written') {
        known = { head: headOf(entries), etag: result.etags.at(-1) }
        return entries
      }
      if (await isWrittenBy(rows, entries, mark)) return entries
    }
    throwProblem('storage_unavailable', 'The audit log could not be written at the moment. Try again.', {
      internal: `an audit chain lost ${ATTEMPTS_MAX} races`,
      retryAfterMs: RETRY_AFTER_MS,
    })
  }

  return {
    isIdle: () => !isWriting,
    append: (event) =>
      new Promise((resolve, reject) => {
        if (waiting.length >= WAITING_MAX)
          throwProblem('storage_unavailable', 'The audit log is behind. Try again.', { retryAfterMs: RETRY_AFTER_MS })
        waiting.push({ event, resolve, reject })
        if (!isWriting) void drain()
      }),
  }
}

export interface ChainWriterDeps {
  readonly rows: PartitionTable<Columns>
  readonly clock: Clock
  readonly chance: Chance
}

async function currentHead(rows: PartitionTable<Columns>): Promise<KnownHead> {
  const row = await rows.get(HEAD_ROW)
  return row ? { head: readHead(row), etag: row.etag } : { head: emptyChain, etag: undefined }
}

function entriesBehind(head: ChainHead, events: readonly AuditEvent[], nowMs: number): readonly AuditEntry[] {
  const entries: AuditEntry[] = []
  for (const event of events) entries.push(entryAfter(entries.at(-1) ?? head, event, nowMs))
  return entries
}

function changesOf(
  entries: readonly AuditEntry[],
  { mark, headEtag }: { mark: string; headEtag: string | undefined },
): RowChange<Columns>[] {
  const inserts = entries.map((entry) => ({
    kind: 'insert' as const,
    rowKey: rowKeyOf(entry.sequence),
    columns: { entry: canonicalJson(entry), mark },
  }))
  const head = { rowKey: HEAD_ROW, columns: { ...headOf(entries) } }
  const last =
    headEtag === undefined
      ? { kind: 'insert' as const, ...head }
      : { kind: 'replace' as const, ...head, etag: headEtag }
  return [...inserts, last]
}

function headOf(entries: readonly AuditEntry[]): ChainHead {
  const { sequence, hash } = entries.at(-1) ?? emptyChain
  return { sequence, hash }
}

async function isWrittenBy(
  rows: PartitionTable<Columns>,
  [first]: readonly AuditEntry[],
  mark: string,
): Promise<boolean> {
  const row = first && (await rows.get(rowKeyOf(first.sequence)))
  return row?.columns['mark'] === mark
}
