import { datasetView, shownDataset } from '../../datasets/dataset-view'
import { beginDataset, isForgottenDataset } from '../../http/begin-dataset'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent, notFound, ok } from '../../http/plain-request'
import { datasetParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantDataset = ({ datasets, clock }: ControlPlane): HttpTrigger => ({
  name: 'tenant-dataset',
  route: 'api/tenant/datasets/{datasetId}',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Shows a dataset, and how far the reading of it has come.',
      params: datasetParams,
      answer: shownDataset,
      run: async ({ caller, params: { datasetId }, orchestrations }) => {
        const scope = TenantScope.ofCaller(caller)
        const dataset = await datasets.get(scope, datasetId)
        if (!dataset) return notFound
        if (isForgottenDataset(dataset, clock)) await beginDataset(orchestrations, scope, datasetId)
        return ok(datasetView(dataset))
      },
    }),
    DELETE: tenantEndpoint('models.manage', {
      summary: 'Deletes a dataset with its report; the file stays.',
      params: datasetParams,
      run: async ({ caller, params: { datasetId } }) =>
        (await datasets.remove(TenantScope.ofCaller(caller), datasetId)) ? noContent : notFound,
    }),
  },
})
