import type { Clock } from '../base/clock'
import { eachOf } from '../base/each-of'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { Notice, Notifications } from '../notifications/notice'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantsWithUsage } from '../usage/tenants-with-usage'
import { monthBefore, monthEndMs, monthOf, monthStartMs } from './month'
import { isPromised, type TenantOf } from './promised-tenant'
import type { SlaReport } from './sla-report'
import type { SlaReports } from './sla-reports'
import type { WatchedTenants } from './watched-tenants'

interface FreezeReportsDeps {
  readonly reports: Pick<SlaReports, 'freeze'>
  readonly watched: Pick<WatchedTenants, 'isFrozen' | 'frozen'>
  readonly tenantsWithUsage: TenantsWithUsage
  readonly notifications: Notifications
  readonly tenantOf: TenantOf
  readonly clock: Clock
  readonly log: Log
}

/** Behind a month's end: its log is sealed after three hours, and what a crash has delayed is rolled up long before. */
const FROZEN_AFTER_MS = 72 * 3_600_000
/** A report that was frozen so long ago was told of: below how long notifications know their ids, or it would be told again. */
const TOLD_WITHIN_MS = 7 * 24 * 3_600_000
/** A platform that stood still makes up for so many months. */
const MONTHS_MAX = 3
/** Tenants whose months are read side by side. */
const TENANTS_AT_ONCE = 8

/**
 * Freezes the reports of months that are over, for every tenant with usage in them, on behalf of each by itself (I4); how many. A month is
 * done when every tenant is: whoever fails comes again with the next run, and a report that is frozen already stays as it is.
 */
export async function freezeReports(deps: FreezeReportsDeps): Promise<number> {
  const { watched, clock } = deps
  let frozen = 0
  let month = monthOf(clock.now())
  for (let back = 0; back < MONTHS_MAX; back++) {
    month = monthBefore(month)
    if (clock.now() < monthEndMs(month) + FROZEN_AFTER_MS || (await watched.isFrozen(month))) continue
    const { done, failed } = await freezeMonth(deps, month)
    frozen += done
    if (failed === 0) await watched.frozen(month)
  }
  return frozen
}

async function freezeMonth(
  { reports, tenantsWithUsage, notifications, tenantOf, clock, log }: FreezeReportsDeps,
  month: string,
): Promise<{ done: number; failed: number }> {
  let done = 0
  let failed = 0
  const span = { fromMs: monthStartMs(month), toMs: monthEndMs(month) }
  await eachOf(tenantsWithUsage(span), TENANTS_AT_ONCE, async (tenantId) => {
    try {
      if (!(await isPromised(tenantOf, tenantId))) return
      const report = await reports.freeze(TenantScope.ofPlatform(tenantId), month)
      if (clock.now() - Date.parse(report.madeAt) < TOLD_WITHIN_MS)
        await notifications.publish(noticeOf(tenantId, report))
      done++
    } catch (error) {
      failed++
      log.warn('a month’s report could not be frozen', { tenantId, month, error: describeError(error) })
    }
  })
  return { done, failed }
}

function noticeOf(tenantId: TenantId, { month, objectives }: SlaReport): Notice {
  const missed = objectives.filter(({ result }) => result === 'missed').length
  const what = missed === 0 ? 'every objective was met' : `${missed} of ${objectives.length} objectives were missed`
  return {
    id: `sla-report/${tenantId}/${month}`,
    kind: 'report',
    audience: 'tenant',
    tenantId,
    severity: 'notice',
    title: `Service level report of ${month}: ${what}`,
    text: `The report of ${month} is final. It is read under /api/tenant/sla?month=${month}, as a page with &format=html.`,
    data: { month, missed, objectives: objectives.length },
  }
}
