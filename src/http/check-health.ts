import type { Clock } from '../base/clock'
import { createStaleCache } from '../base/stale-cache'
import type { Columns, PartitionTable } from '../storage/partition-table'
import type { Answer } from './plain-request'

/** Whether this instance can do its work, for probes and people. Never rejects. */
export type CheckHealth = () => Promise<Answer>

/** Anyone may ask: one look at storage serves everyone who asks within this time. */
const FRESH_MS = 2_000
const LOOK_MS_MAX = 2_000

export function createCheckHealth({
  rows,
  clock,
  version,
}: {
  rows: PartitionTable<Columns>
  clock: Clock
  version: string
}): CheckHealth {
  const look = createStaleCache<'storage', boolean>({
    clock,
    load: () => Promise.race([canRead(rows), clock.sleep(LOOK_MS_MAX).then(() => false)]),
    freshMs: FRESH_MS,
    staleMs: FRESH_MS,
    entriesMax: 1,
    onError: () => {},
  })
  return async () => {
    const reachable = await look.get('storage')
    const storage = reachable ? 'reachable' : 'unreachable'
    return { status: reachable ? 200 : 503, body: { status: reachable ? 'ok' : 'degraded', version, storage } }
  }
}

/** That there is no such row is an answer too. */
async function canRead(rows: PartitionTable<Columns>): Promise<boolean> {
  try {
    await rows.get('health')
    return true
  } catch {
    return false
  }
}
