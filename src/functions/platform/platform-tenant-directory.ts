import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent, notFound } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'
import { guid } from '../../tenants/tenant-input'

export const platformTenantDirectory = ({ directories }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-directory',
  route: 'api/platform/tenants/{tenantId}/directories/{directoryId}',
  endpoints: {
    DELETE: operatorEndpoint('platform.members.manage', {
      summary: 'Unlinks a directory: its people and applications are refused everywhere within 30 s.',
      params: z.object({ ...tenantParams.shape, directoryId: guid('Must be a GUID') }),
      run: async ({ params }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        const linked = await directories.list(scope)
        if (!linked.some(({ directoryId }) => directoryId === params.directoryId)) return notFound
        await directories.unlink(scope, params.directoryId)
        return noContent
      },
    }),
  },
})
