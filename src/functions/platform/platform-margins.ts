import { z } from 'zod'
import { csvHeaders, csvType } from '../../base/csv'
import { Problem } from '../../base/problem'
import { marginsCsv, shownMargin } from '../../billing/margin-view'
import { noMonthYet } from '../../billing/margins'
import { marginsQuery } from '../../http/billing-params'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'

const shownMargins = z.object({
  period: z.string(),
  margins: z.array(shownMargin),
  idleProvisionedMicroUsd: z
    .int()
    .meta({ description: 'Of the whole month’s provisioned throughput, what nobody used: the platform’s own.' }),
  next: z.string().optional(),
})

export const platformMargins = ({ billing, clock }: ControlPlane): HttpTrigger => ({
  name: 'platform-margins',
  route: 'api/platform/margins',
  endpoints: {
    GET: operatorEndpoint('platform.billing.read', {
      summary:
        'Shows what each tenant brought and cost in a month, page by page; a header `link` names the next page of CSV.',
      query: marginsQuery,
      answer: shownMargins,
      answerType: csvType,
      auditsReads: true,
      run: async ({ query: { period, unprofitable, format, ...page } }) => {
        const refused = noMonthYet(period, clock.now())
        if (refused instanceof Problem) return refused
        const found = await billing.margins.page(period, { ...page, unprofitable: unprofitable === 'true' })
        if (format === 'json')
          return ok({ period, ...found, idleProvisionedMicroUsd: await billing.margins.idleMicroUsd(period) })
        // RFC 8288, relative to what was asked for.
        const next = `<?period=${period}&format=csv&unprofitable=${unprofitable}&limit=${page.limit}&after=${found.next}>; rel="next"`
        const link = found.next === undefined ? {} : { link: next }
        return {
          status: 200,
          text: marginsCsv(found.margins),
          headers: { ...csvHeaders(`margins-${period}.csv`), ...link },
        }
      },
    }),
  },
})
