import { rotationInput } from '../../access/key-input'
import { keyView, newKeyShown } from '../../access/key-record'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { keyParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantKeyRotate = ({ keys, ids, clock }: ControlPlane): HttpTrigger => ({
  name: 'tenant-key-rotate',
  route: 'api/tenant/keys/{keyId}/rotate',
  endpoints: {
    POST: tenantEndpoint('keys.manage', {
      summary: 'Puts a new secret under a key’s id; the old one works for the overlap.',
      params: keyParams,
      body: rotationInput,
      answer: newKeyShown,
      answerStatus: 200,
      // A rotation makes no id, but its answer is shown once: a client that lost it asks again under the same key.
      newSubject: () => ids.keyId(),
      run: async ({ caller, params, body }) => {
        const key = await keys.rotate(TenantScope.ofCaller(caller), params.keyId, body.overlapMs)
        if (key instanceof Problem) return key
        return ok({ ...keyView(key.record, clock.now()), apiKey: key.apiKey })
      },
    }),
  },
})
