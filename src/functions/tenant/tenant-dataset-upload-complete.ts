import { Problem } from '../../base/problem'
import { linkUploadView, shownLinkUpload } from '../../files/link-upload-view'
import { beginTaking } from '../../http/begin-dataset'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, notFound } from '../../http/plain-request'
import { linkUploadParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantDatasetUploadComplete = ({ linkUploads }: ControlPlane): HttpTrigger => ({
  name: 'tenant-dataset-upload-complete',
  route: 'api/tenant/datasets/uploads/{uploadId}/complete',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Has what was written made a file of the purpose `fine-tune`, sealed, and the blob deleted.',
      params: linkUploadParams,
      answer: shownLinkUpload,
      answerStatus: 202,
      problems: ['invalid_request', 'body_too_large', 'tenant_moving'],
      run: async ({ caller, params: { uploadId }, orchestrations }) => {
        const scope = TenantScope.ofCaller(caller)
        const upload = await linkUploads.complete(scope, uploadId)
        if (upload instanceof Problem) return upload
        if (!upload) return notFound
        if (upload.state.kind === 'taking') await beginTaking(orchestrations, scope, uploadId)
        return accepted(linkUploadView(upload))
      },
    }),
  },
})
