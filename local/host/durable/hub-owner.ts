import { randomUUID } from 'node:crypto'
import type { TableClient } from '@azure/data-tables'
import { type HostClock, sleepUntil } from '../clock'
import { type HostLog, messageOf } from '../log'
import { isStatus } from '../storage-error'

const OWNER = { partitionKey: '$hub', rowKey: 'owner' }
const CHECK_INTERVAL_MS = 2_000

export interface Ownership {
  release(): Promise<void>
}

/**
 * One hub has one host at a time: the youngest. Each writes its mark into the hub's table when it starts and looks now
 * and then whether the mark is still its own. Between two looks both may be at work; then the versions of the
 * instances decide, and the older one's commits are lost, not mixed in.
 */
export async function takeOwnership(
  { table, clock, log }: { table: TableClient; clock: HostClock; log: HostLog },
  onLost: () => void,
): Promise<Ownership> {
  const mark = randomUUID()
  await table.upsertEntity({ ...OWNER, mark }, 'Replace')
  const releasing = new AbortController()
  const isMine = async () => {
    try {
      const row = await table.getEntity<{ mark: string }>(OWNER.partitionKey, OWNER.rowKey)
      return row.mark === mark
    } catch (error) {
      // A hub that was deleted belongs to nobody; a storage that does not answer says nothing.
      if (!isStatus(error, 404)) log.write('warning', 'durable', `the hub's owner is not known: ${messageOf(error)}`)
      return !isStatus(error, 404)
    }
  }
  const watch = async () => {
    for (;;) {
      await sleepUntil(clock, clock.now() + CHECK_INTERVAL_MS, releasing.signal)
      if (releasing.signal.aborted) return
      if (!(await isMine()) && !releasing.signal.aborted) return onLost()
    }
  }
  const watching = watch()
  return {
    release: () => {
      releasing.abort()
      return watching
    },
  }
}
