import { keyInput } from '../access/key-input'
import { keyView } from '../access/key-record'
import { assert } from '../base/assert'
import { parseKeyId } from '../base/ids'
import { Problem } from '../base/problem'
import type { ControlPlane } from '../http/control-plane'
import { operatorEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { created, notFound, ok } from '../http/plain-request'
import { tenantParams } from '../http/request-params'
import { TenantScope } from '../storage/tenant-scope'

export const platformTenantKeys = ({ tenants, keys, ids, clock }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-keys',
  route: 'api/platform/tenants/{tenantId}/keys',
  endpoints: {
    GET: operatorEndpoint('platform.keys.read', {
      summary: 'Lists a tenant’s API keys.',
      params: tenantParams,
      run: async ({ params }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        if (!(await tenants.get(scope))) return notFound
        const found = await keys.list(scope)
        return ok({ keys: found.map((record) => keyView(record, clock.now())) })
      },
    }),
    POST: operatorEndpoint('platform.keys.manage', {
      summary: 'Creates an API key for a tenant; it is shown once.',
      params: tenantParams,
      body: keyInput,
      newSubject: () => ids.keyId(),
      run: async ({ params, body, subject }) => {
        const keyId = parseKeyId(subject)
        assert(keyId, 'newSubject makes a key id')
        const scope = TenantScope.ofPlatform(params.tenantId)
        if (!(await tenants.get(scope))) return notFound
        const key = await keys.create(scope, keyId, body)
        if (key instanceof Problem) return key
        const location = `/api/platform/tenants/${params.tenantId}/keys/${keyId}`
        return created({ ...keyView(key.record, clock.now()), apiKey: key.apiKey }, { location })
      },
    }),
  },
})
