import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { pageLimit } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'
import { parsePeriod, periodKinds, type PeriodName } from '../../usage/report-period'
import { periodName, periodReportHead } from '../../usage/usage-report'

const PAGE_REPORTS_MAX = 400

const pageQuery = z.strictObject({
  kind: z.enum(periodKinds).default('day'),
  limit: pageLimit({ most: PAGE_REPORTS_MAX, usual: 100 }),
  after: periodName.optional().meta({ description: 'The `next` of the page before; absent for the first page.' }),
})

export const tenantUsageReports = ({ usageDesk }: ControlPlane): HttpTrigger => ({
  name: 'tenant-usage-reports',
  route: 'api/tenant/usage/reports',
  endpoints: {
    GET: tenantEndpoint('usage.read', {
      summary: 'Lists the tenant’s reports of days, weeks or months, the latest first.',
      query: pageQuery,
      answer: z.object({ reports: z.array(periodReportHead), next: z.string().optional() }),
      run: async ({ caller, query: { kind, limit, after } }) => {
        const page = { kind, before: nameOf(after), limit: limit + 1 }
        const found = await usageDesk.reports.list(TenantScope.ofCaller(caller), page)
        const reports = found.slice(0, limit)
        return ok({ reports, ...(found.length > limit ? { next: reports.at(-1)?.period } : {}) })
      },
    }),
  },
})

const nameOf = (after: string | undefined): PeriodName | undefined =>
  after === undefined ? undefined : parsePeriod(after)?.name
