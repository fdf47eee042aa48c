import { z } from 'zod'
import { keyInput } from '../../access/key-input'
import { keyView, newKeyShown, shownKey } from '../../access/key-record'
import { assert } from '../../base/assert'
import { parseKeyId } from '../../base/ids'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { pageOf } from '../../http/page-of'
import { created, notFound, ok } from '../../http/plain-request'
import { keyPageQuery, tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const platformTenantKeys = ({ tenants, keys, ids, clock }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-keys',
  route: 'api/platform/tenants/{tenantId}/keys',
  endpoints: {
    GET: operatorEndpoint('platform.keys.read', {
      summary: 'Lists a tenant’s API keys, page by page.',
      params: tenantParams,
      query: keyPageQuery,
      answer: z.object({ keys: z.array(shownKey), next: z.string().optional() }),
      run: async ({ params, query }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        if (!(await tenants.get(scope))) return notFound
        const found = await keys.list(scope)
        const { shown, next } = pageOf(found, ({ keyId }) => keyId, query)
        return ok({ keys: shown.map((record) => keyView(record, clock.now())), next })
      },
    }),
    POST: operatorEndpoint('platform.keys.manage', {
      summary: 'Creates an API key for a tenant; it is shown once.',
      params: tenantParams,
      body: keyInput,
      answer: newKeyShown,
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
