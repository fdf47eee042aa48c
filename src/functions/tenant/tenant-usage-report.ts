import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { TenantScope } from '../../storage/tenant-scope'
import { parsePeriod } from '../../usage/report-period'
import { periodName, periodReport } from '../../usage/usage-report'

export const tenantUsageReport = ({ usageDesk }: ControlPlane): HttpTrigger => ({
  name: 'tenant-usage-report',
  route: 'api/tenant/usage/reports/{period}',
  endpoints: {
    GET: tenantEndpoint('usage.read', {
      summary: 'Shows what the tenant used in a day, a week or a month that is over.',
      params: z.object({ period: periodName }),
      answer: periodReport,
      problems: ['not_found'],
      run: async ({ caller, params }) => {
        const period = parsePeriod(params.period)
        const report = period && (await usageDesk.reports.get(TenantScope.ofCaller(caller), period))
        return report ? ok(report) : notFound
      },
    }),
  },
})
