import { fromJsonColumns } from '../storage/json-columns'
import type { Clock } from '../base/clock'
import { parseDeliveryId, revived, type Delivery } from './delivery'
import { changeDelivery, findDelivery } from './delivery-rows'
import type { Notice } from './notice'
import type { KeptNotice, OutboxRows } from './outbox'
import { deadLetterIds, ledTo, noticeRow } from './outbox-rows'

/** Messages that were given up, of tenants and of operators: an operator's view (I4). It shows whose, and not what was said to tenants. */
export interface DeadLetters {
  /** The newest first; `after` is the id of the last one of the page before. */
  page(page: { after: string | undefined; limit: number }): Promise<readonly DeadLetter[]>
  /** Sends it anew, as the same message; false where there is none. */
  resend(id: string): Promise<boolean>
}

export interface DeadLetter {
  /** The row that leads to it. */
  readonly id: string
  readonly diedAt: number
  readonly delivery: Delivery
  /** The first of its notices; undefined where it is forgotten. */
  readonly notice: Notice | undefined
}

export function createDeadLetters({
  rows,
  clock,
  wake,
}: {
  rows: OutboxRows
  clock: Clock
  wake: () => void
}): DeadLetters {
  const find = async (id: string) => {
    const led = ledTo(id)
    const deliveryId = led && parseDeliveryId(led.what)
    const found = deliveryId && (await findDelivery(rows, led.owner, deliveryId))
    // One that was sent anew, by somebody who died before the row was removed, is none.
    return found?.delivery.state.kind === 'dead' ? { ...found, diedAt: found.delivery.state.at } : undefined
  }
  return {
    page: async ({ after, limit }) => {
      const { from, to } = deadLetterIds
      const shown: DeadLetter[] = []
      for await (const { rowKey: id } of rows.index.range(
        after !== undefined && after >= from ? `${after} ` : from,
        to,
      )) {
        const found = await find(id)
        if (!found) continue
        const { owner, delivery, diedAt } = found
        const [first] = delivery.notices
        const row = first === undefined ? undefined : await rows.owned.get(owner, noticeRow(first))
        const notice = row && fromJsonColumns<KeptNotice>(row.columns).notice
        if (shown.push({ id, diedAt, delivery, notice }) >= limit) break
      }
      return shown
    },
    resend: async (id) => {
      const found = await find(id)
      const changed = found && (await changeDelivery(rows, found, revived(found.delivery, clock.now())))
      if (changed) wake()
      return changed !== undefined
    },
  }
}
