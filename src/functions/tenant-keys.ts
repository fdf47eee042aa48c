import { keyInput } from '../access/key-input'
import { keyView } from '../access/key-record'
import { assert } from '../base/assert'
import { parseKeyId } from '../base/ids'
import { Problem } from '../base/problem'
import type { ControlPlane } from '../http/control-plane'
import { tenantEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { created, ok } from '../http/plain-request'
import { TenantScope } from '../storage/tenant-scope'

export const tenantKeys = ({ keys, ids, clock }: ControlPlane): HttpTrigger => ({
  name: 'tenant-keys',
  route: 'api/tenant/keys',
  endpoints: {
    GET: tenantEndpoint('keys.read', {
      summary: 'Lists the tenant’s API keys.',
      run: async ({ caller }) => {
        const found = await keys.list(TenantScope.ofCaller(caller))
        return ok({ keys: found.map((record) => keyView(record, clock.now())) })
      },
    }),
    POST: tenantEndpoint('keys.manage', {
      summary: 'Creates an API key; it is shown once.',
      body: keyInput,
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
