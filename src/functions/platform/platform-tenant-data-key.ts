import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

const versions = z.object({ versions: z.array(z.object({ version: z.int(), wrappedBy: z.string() })) })

/** Which versions a tenant's data key has, and what wraps them; never the key. */
export const platformTenantDataKey = ({ keyring }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-data-key',
  route: 'api/platform/tenants/{tenantId}/data-key',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Shows the versions of a tenant’s data key and what wraps them.',
      params: tenantParams,
      answer: versions,
      run: async ({ params }) => {
        const found = await keyring.versions(TenantScope.ofPlatform(params.tenantId))
        if (found.length === 0) return notFound
        return ok({ versions: found.map(({ version, wrappedBy }) => ({ version, wrappedBy })) })
      },
    }),
  },
})
