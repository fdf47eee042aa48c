import { Problem } from '../../base/problem'
import { leakageInput } from '../../datasets/dataset-input'
import { leakageView, shownLeakage } from '../../datasets/dataset-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { datasetParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantDatasetLeakage = ({ datasets }: ControlPlane): HttpTrigger => ({
  name: 'tenant-dataset-leakage',
  route: 'api/tenant/datasets/{datasetId}/leakage',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Compares training data with validation data: which examples are in both. Kept with the training data.',
      params: datasetParams,
      body: leakageInput,
      answer: shownLeakage,
      run: async ({ caller, params: { datasetId }, body: { validation } }) => {
        const found = await datasets.leakage(TenantScope.ofCaller(caller), datasetId, validation)
        if (found instanceof Problem) return found
        return found ? ok(leakageView(found)) : notFound
      },
    }),
  },
})
