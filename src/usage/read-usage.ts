import { HOUR_MS } from '../metering/log-blob-name'
import type { PartitionTable } from '../storage/partition-table'
import { hourStartOf } from './blob-cursors'
import type { UsageColumns } from './usage-columns'
import { minuteText, readStored, type StoredUsage } from './usage-rows'
import type { GroupSums } from './usage-sums'

/**
 * A tenant's usage in a span, each call once: minutes, and hours in place of the minutes that they have taken in (Q1, Q2 of
 * usage-rows.ts). A span that begins or ends within an hour leaves that hour's row out, so such a span must lie where
 * minutes are kept. Memory is bounded by the minute rows of one hour.
 */
export async function* readUsage(
  partition: PartitionTable<UsageColumns>,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): AsyncGenerator<{ startMs: number; groups: readonly GroupSums[] }> {
  let minutes: Extract<StoredUsage, { kind: 'minute' }>[] = []
  for await (const row of partition.range(minuteText(fromMs), minuteText(toMs))) {
    const usage = readStored(row)
    if (minutes[0] && hourStartOf(minutes[0].startMs) !== hourStartOf(usage.startMs)) {
      yield* minutes
      minutes = []
    }
    if (usage.kind === 'minute') {
      minutes.push(usage)
      continue
    }
    const taken = new Set(usage.blobIds)
    yield* minutes.filter(({ blobId }) => !taken.has(blobId))
    minutes = []
    if (usage.startMs >= fromMs && usage.startMs + HOUR_MS <= toMs) yield usage
  }
  yield* minutes
}
