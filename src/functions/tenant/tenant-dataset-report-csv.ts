import { Problem } from '../../base/problem'
import { nextOf } from '../../datasets/dataset-view'
import { faultsCsv } from '../../datasets/faults-csv'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { datasetParams, faultPageQuery } from '../../http/request-params'
import { validatedDataset } from '../../http/validated-dataset'
import { TenantScope } from '../../storage/tenant-scope'

const TYPE = 'text/csv; charset=utf-8'

export const tenantDatasetReportCsv = ({ datasets }: ControlPlane): HttpTrigger => ({
  name: 'tenant-dataset-report-csv',
  route: 'api/tenant/datasets/{datasetId}/report.csv',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'The faults of a dataset as comma-separated values; a header `link` names the next page.',
      params: datasetParams,
      query: faultPageQuery,
      answerType: TYPE,
      problems: ['conflict'],
      run: async ({ caller, params: { datasetId }, query }) => {
        const scope = TenantScope.ofCaller(caller)
        const found = await validatedDataset(datasets, scope, datasetId)
        if (found instanceof Problem) return found
        const faults = await datasets.faults(scope, datasetId, query)
        const { next } = nextOf({ faults, after: query.after, kept: found.faultsKept })
        return {
          status: 200,
          text: faultsCsv(faults),
          headers: {
            'content-type': TYPE,
            'x-content-type-options': 'nosniff',
            'content-disposition': `attachment; filename="${datasetId}.csv"`,
            // RFC 8288, relative to what was asked for.
            ...(next === undefined ? {} : { link: `<?after=${next}&limit=${query.limit}>; rel="next"` }),
          },
        }
      },
    }),
  },
})
