import { csvHeaders, csvType } from '../../base/csv'
import { capacityPageQuery } from '../../capacity/capacity-input'
import { rankedCsv } from '../../capacity/capacity-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { namedSubjects } from '../../http/named-subjects'

export const platformCapacityCsv = (controlPlane: ControlPlane): HttpTrigger => ({
  name: 'platform-capacity-csv',
  route: 'api/platform/capacity/report.csv',
  endpoints: {
    GET: operatorEndpoint('platform.capacity.read', {
      summary: 'The same list as comma-separated values, a row for each limit; a header `link` names the next page.',
      query: capacityPageQuery,
      answerType: csvType,
      run: async ({ query }) => {
        const { shown, next } = await controlPlane.capacity.page(query)
        const named = await namedSubjects(controlPlane, shown)
        const nextQuery = new URLSearchParams()
        for (const [name, value] of Object.entries({ ...query, after: next }))
          if (value !== undefined) nextQuery.set(name, String(value))
        return {
          status: 200,
          text: rankedCsv(named),
          headers: {
            ...csvHeaders('capacity.csv'),
            // RFC 8288, relative to what was asked for.
            ...(next === undefined ? {} : { link: `<?${nextQuery.toString()}>; rel="next"` }),
          },
        }
      },
    }),
  },
})
