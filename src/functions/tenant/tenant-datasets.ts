import { assert } from '../../base/assert'
import { parseDatasetId } from '../../base/ids'
import { Problem } from '../../base/problem'
import { datasetInput } from '../../datasets/dataset-input'
import { datasetView, shownDataset, shownDatasets } from '../../datasets/dataset-view'
import { beginDataset } from '../../http/begin-dataset'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, ok } from '../../http/plain-request'
import { datasetPageQuery } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantDatasets = ({ datasets, ids }: ControlPlane): HttpTrigger => ({
  name: 'tenant-datasets',
  route: 'api/tenant/datasets',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Lists the tenant’s datasets, the newest first, page by page.',
      query: datasetPageQuery,
      answer: shownDatasets,
      run: async ({ caller, query: { after, limit } }) => {
        const page = await datasets.page(TenantScope.ofCaller(caller), { after, limit })
        const next = page.hasMore ? page.datasets.at(-1)?.id : undefined
        return ok({ datasets: page.datasets.map(datasetView), ...(next === undefined ? {} : { next }) })
      },
    }),
    POST: tenantEndpoint('models.manage', {
      summary: 'Registers a file as training or validation data, and has it read to its end.',
      body: datasetInput,
      answer: shownDataset,
      answerStatus: 202,
      problems: ['insufficient_quota'],
      newSubject: () => ids.datasetId(),
      run: async ({ caller, body, subject, orchestrations }) => {
        const id = parseDatasetId(subject)
        assert(id, 'newSubject makes the id of a dataset')
        const { file: fileId, validation: validationId, consent, ...asked } = body
        const scope = TenantScope.ofCaller(caller)
        const wanted = { ...asked, id, fileId, validationId, hasConsent: consent === true }
        const dataset = await datasets.create(scope, caller.callerId, wanted)
        if (dataset instanceof Problem) return dataset
        await beginDataset(orchestrations, scope, id)
        return { ...accepted(datasetView(dataset)), headers: { location: `/api/tenant/datasets/${id}` } }
      },
    }),
  },
})
