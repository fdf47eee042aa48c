import { consentInput } from '../../datasets/dataset-input'
import { datasetView, shownDataset } from '../../datasets/dataset-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { datasetParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantDatasetConsent = ({ datasets }: ControlPlane): HttpTrigger => ({
  name: 'tenant-dataset-consent',
  route: 'api/tenant/datasets/{datasetId}/consent',
  endpoints: {
    PUT: tenantEndpoint('models.manage', {
      summary: 'Records that jobs may send the file to a model account, so that they need not ask.',
      params: datasetParams,
      body: consentInput,
      answer: shownDataset,
      run: async ({ caller, params: { datasetId } }) => {
        const dataset = await datasets.consent(TenantScope.ofCaller(caller), datasetId, caller.callerId)
        return dataset ? ok(datasetView(dataset)) : notFound
      },
    }),
    DELETE: tenantEndpoint('models.manage', {
      summary: 'Withdraws the consent for jobs that are made from now on; one that is under way has to be cancelled.',
      params: datasetParams,
      answer: shownDataset,
      run: async ({ caller, params: { datasetId } }) => {
        const dataset = await datasets.consent(TenantScope.ofCaller(caller), datasetId, null)
        return dataset ? ok(datasetView(dataset)) : notFound
      },
    }),
  },
})
