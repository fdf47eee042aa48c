import { assert } from '../../base/assert'
import { parseLinkUploadId } from '../../base/ids'
import { Problem } from '../../base/problem'
import { linkUploadInput } from '../../datasets/dataset-input'
import { linkedUploadView, shownLinkedUpload } from '../../files/link-upload-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { created } from '../../http/plain-request'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantDatasetUploads = ({ linkUploads, ids }: ControlPlane): HttpTrigger => ({
  name: 'tenant-dataset-uploads',
  route: 'api/tenant/datasets/uploads',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Begins an upload in blocks, by a link to one blob in the tenant’s own place.',
      body: linkUploadInput,
      answer: shownLinkedUpload,
      answerStatus: 201,
      problems: ['file_quota_exceeded', 'concurrency_limit_exceeded', 'tenant_moving'],
      newSubject: () => ids.linkUploadId(),
      run: async ({ caller, body: { filename, bytes }, subject }) => {
        const id = parseLinkUploadId(subject)
        assert(id, 'newSubject makes the id of an upload')
        const wanted = { id, filename, bytes, createdBy: caller.callerId }
        const linked = await linkUploads.create(TenantScope.ofCaller(caller), wanted)
        if (linked instanceof Problem) return linked
        return created(linkedUploadView(linked), { location: `/api/tenant/datasets/uploads/${id}` })
      },
    }),
  },
})
