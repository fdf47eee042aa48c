import { Problem } from '../../base/problem'
import { linkUploadView, shownLinkUpload } from '../../files/link-upload-view'
import { beginTaking, isForgottenTaking } from '../../http/begin-dataset'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent, notFound, ok } from '../../http/plain-request'
import { linkUploadParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantDatasetUpload = ({ linkUploads, clock }: ControlPlane): HttpTrigger => ({
  name: 'tenant-dataset-upload',
  route: 'api/tenant/datasets/uploads/{uploadId}',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Shows an upload by link; once it is completed, with the id of its file.',
      params: linkUploadParams,
      answer: shownLinkUpload,
      run: async ({ caller, params: { uploadId }, orchestrations }) => {
        const scope = TenantScope.ofCaller(caller)
        const upload = await linkUploads.get(scope, uploadId)
        if (!upload) return notFound
        if (isForgottenTaking(upload, clock)) await beginTaking(orchestrations, scope, uploadId)
        return ok(linkUploadView(upload))
      },
    }),
    DELETE: tenantEndpoint('models.manage', {
      summary: 'Abandons an upload by link, and deletes what was written.',
      params: linkUploadParams,
      run: async ({ caller, params: { uploadId } }) => {
        const upload = await linkUploads.abandon(TenantScope.ofCaller(caller), uploadId)
        if (upload instanceof Problem) return upload
        return upload ? noContent : notFound
      },
    }),
  },
})
