import { assertNever } from '../base/assert'
import { describeError, type Log } from '../base/log'
import type { Alert, AlertEvent } from '../alerts/alert'
import { TELL, TELL_END } from '../alerts/alert-rows'
import type { UntoldAlert } from '../alerts/alerts'
import { fromJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { isPlatformOwner } from '../tenants/platform-owner'
import type { Notice, Notifications } from './notice'

/**
 * Publishes what alerts have left to tell, in the order of time; how many changes there were. A change stays until its notices are
 * in the outbox; twice at once, or again after a crash, they are the same notices.
 */
export async function tellAlerts({
  rows,
  notifications,
  log,
}: {
  rows: PartitionTable<Columns>
  notifications: Notifications
  log: Log
}): Promise<number> {
  let told = 0
  for await (const { rowKey, columns } of rows.range(TELL, TELL_END)) {
    try {
      for (const notice of noticesOf(fromJsonColumns<UntoldAlert>(columns))) await notifications.publish(notice)
      await rows.remove(rowKey)
      told += 1
    } catch (error) {
      // Of a tenant whose data is being moved, say: it stays, and holds up no other.
      log.warn('an alert could not be told', { row: rowKey, error: describeError(error) })
    }
  }
  return told
}

/** To operators, and to the tenant where it is for its own people, too: without the figures, which may be of others. */
export function noticesOf({ alert, event }: UntoldAlert): readonly Notice[] {
  const { id: alertId, kind, tenantId, severity, state, episode, raisedAt, evidence } = alert
  const data = { alertId, event, state, episode, raisedAt: new Date(raisedAt).toISOString() }
  const isOver = event === 'resolved' || event === 'mitigated'
  const notice = {
    id: `alert/${alertId}/${episode}/${event}/${severity}`,
    kind,
    severity,
    isOver,
    title: `${before(event)}${alert.title}`,
    text: alert.detail,
    tenantId,
  }
  const toOperators: Notice = {
    ...notice,
    audience: 'operators',
    text: `${alert.detail}${remarkOf(alert, event)}\n\nGET /api/platform/alerts/${encodeURIComponent(alertId)}`,
    data: evidence === undefined ? data : { ...data, evidence },
  }
  if (alert.audience !== 'tenant' || tenantId === undefined || isPlatformOwner(tenantId)) return [toOperators]
  return [toOperators, { ...notice, audience: 'tenant', data }]
}

function remarkOf({ history }: Alert, event: AlertEvent): string {
  const note = event === 'opened' ? undefined : history.at(-1)?.note
  return note === undefined ? '' : `\n\n${note}`
}

function before(event: AlertEvent): string {
  switch (event) {
    case 'opened':
      return ''
    case 'worsened':
      return 'Worse: '
    case 'mitigated':
      return 'Mitigated: '
    case 'resolved':
      return 'Resolved: '
    default:
      return assertNever(event)
  }
}
