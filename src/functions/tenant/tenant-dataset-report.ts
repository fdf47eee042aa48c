import { Problem } from '../../base/problem'
import { reportView, shownReport } from '../../datasets/dataset-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { datasetParams, faultPageQuery } from '../../http/request-params'
import { validatedDataset } from '../../http/validated-dataset'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantDatasetReport = ({ datasets }: ControlPlane): HttpTrigger => ({
  name: 'tenant-dataset-report',
  route: 'api/tenant/datasets/{datasetId}/report',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Shows what reading a dataset has found: every fault, page by page, and what training on it takes.',
      params: datasetParams,
      query: faultPageQuery,
      answer: shownReport,
      problems: ['conflict'],
      run: async ({ caller, params: { datasetId }, query }) => {
        const scope = TenantScope.ofCaller(caller)
        const found = await validatedDataset(datasets, scope, datasetId)
        if (found instanceof Problem) return found
        const faults = await datasets.faults(scope, datasetId, query)
        return ok(reportView(found.dataset, found.report, { faults, after: query.after }))
      },
    }),
  },
})
