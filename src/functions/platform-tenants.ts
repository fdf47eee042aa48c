import { assert } from '../base/assert'
import { parseTenantId } from '../base/ids'
import { Problem } from '../base/problem'
import type { ControlPlane } from '../http/control-plane'
import { operatorEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { created, ok } from '../http/plain-request'
import { tenantPageQuery } from '../http/request-params'
import { onboardTenant } from '../onboarding/onboard-tenant'
import { tenantInput } from '../tenants/tenant-input'
import { operatorView, tenantEtag } from '../tenants/tenant-view'

export const platformTenants = ({ tenants, keys, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenants',
  route: 'api/platform/tenants',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Lists the tenants, page by page.',
      query: tenantPageQuery,
      run: async ({ query }) => {
        const page = await tenants.list(query)
        return ok({ tenants: page.tenants.map(operatorView), next: page.next })
      },
    }),
    POST: operatorEndpoint('platform.tenants.manage', {
      summary: 'Registers a tenant.',
      body: tenantInput,
      newSubject: () => ids.tenantId(),
      run: async ({ body, subject }) => {
        const tenantId = parseTenantId(subject)
        assert(tenantId, 'newSubject makes a tenant id')
        const onboarded = await onboardTenant({ tenants, keys }, tenantId, body)
        if (onboarded instanceof Problem) return onboarded
        const { tenant, firstKey } = onboarded
        const location = `/api/platform/tenants/${tenantId}`
        const view = { ...operatorView(tenant), keyId: firstKey.record.keyId, apiKey: firstKey.apiKey }
        return created(view, { location, etag: tenantEtag(tenant) })
      },
    }),
  },
})
