import { z } from 'zod'
import { keyInput } from '../../access/key-input'
import { keyView, newKeyShown, shownKey } from '../../access/key-record'
import { assert } from '../../base/assert'
import { parseKeyId } from '../../base/ids'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { pageOf } from '../../http/page-of'
import { created, ok } from '../../http/plain-request'
import { keyPageQuery } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantKeys = ({ keys, ids, clock }: ControlPlane): HttpTrigger => ({
  name: 'tenant-keys',
  route: 'api/tenant/keys',
  endpoints: {
    GET: tenantEndpoint('keys.read', {
      summary: 'Lists the tenant’s API keys, page by page.',
      query: keyPageQuery,
      answer: z.object({ keys: z.array(shownKey), next: z.string().optional() }),
      run: async ({ caller, query }) => {
        const found = await keys.list(TenantScope.ofCaller(caller))
        const { shown, next } = pageOf(found, ({ keyId }) => keyId, query)
        return ok({ keys: shown.map((record) => keyView(record, clock.now())), next })
      },
    }),
    POST: tenantEndpoint('keys.manage', {
      summary: 'Creates an API key; it is shown once.',
      body: keyInput,
      answer: newKeyShown,
      newSubject: () => ids.keyId(),
      run: async ({ caller, body, subject }) => {
        const keyId = parseKeyId(subject)
        assert(keyId, 'newSubject makes a key id')
        const key = await keys.create(TenantScope.ofCaller(caller), keyId, body)
        if (key instanceof Problem) return key
        return created(
          { ...keyView(key.record, clock.now()), apiKey: key.apiKey },
          { location: `/api/tenant/keys/${keyId}` },
        )
      },
    }),
  },
})
