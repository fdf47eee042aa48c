import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { tenantSecrets } from '../../http/tenant-secrets'
import { TenantScope } from '../../storage/tenant-scope'
import { secretInput, secretParams } from '../../tenants/secret-input'

const params = z.object({ ...tenantParams.shape, ...secretParams.shape })

/** For a tenant that is being onboarded, and has no key to do it itself yet. */
export const platformTenantSecret = ({ secrets, tenants }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-secret',
  route: 'api/platform/tenants/{tenantId}/secrets/{name}',
  endpoints: {
    PUT: operatorEndpoint('platform.secrets.manage', {
      summary:
        'Hands over a credential of a tenant, such as the API key of its own account, or a new one in its place.',
      params,
      body: secretInput,
      problems: ['conflict'],
      run: async ({ params: { tenantId, name }, body }) => {
        const scope = TenantScope.ofPlatform(tenantId)
        const tenant = await tenants.get(scope)
        // One that is being deleted takes none any more: its secrets are gone, or about to be.
        if (!tenant || tenant.state === 'offboarding') return notFound
        return tenantSecrets(secrets).put(scope, name, body.value)
      },
    }),
    DELETE: operatorEndpoint('platform.secrets.manage', {
      summary: 'Deletes a credential of a tenant; calls by it fail within 30 s.',
      params,
      problems: ['provisioning_refused'],
      run: async ({ params: { tenantId, name } }) => {
        const scope = TenantScope.ofPlatform(tenantId)
        return (await tenants.get(scope)) ? tenantSecrets(secrets).remove(scope, name) : notFound
      },
    }),
  },
})
