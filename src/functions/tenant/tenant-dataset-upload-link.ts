import { Problem } from '../../base/problem'
import { linkedUploadView, shownLinkedUpload } from '../../files/link-upload-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { linkUploadParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantDatasetUploadLink = ({ linkUploads }: ControlPlane): HttpTrigger => ({
  name: 'tenant-dataset-upload-link',
  route: 'api/tenant/datasets/uploads/{uploadId}/link',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Gives another link to an open upload, whose blocks are still there.',
      params: linkUploadParams,
      answer: shownLinkedUpload,
      run: async ({ caller, params: { uploadId } }) => {
        const linked = await linkUploads.link(TenantScope.ofCaller(caller), uploadId)
        if (linked instanceof Problem) return linked
        return linked ? ok(linkedUploadView(linked)) : notFound
      },
    }),
  },
})
