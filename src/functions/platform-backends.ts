import { assert } from '../base/assert'
import { parseBackendId } from '../base/ids'
import { Problem } from '../base/problem'
import type { ControlPlane } from '../http/control-plane'
import { operatorEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { created, ok } from '../http/plain-request'
import { backendInput } from '../routing/backend-input'
import { backendEtag, backendView } from '../routing/backend-view'

export const platformBackends = ({ backends, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-backends',
  route: 'api/platform/backends',
  endpoints: {
    GET: operatorEndpoint('platform.backends.read', {
      summary: 'Lists the backends.',
      run: async () => ok({ backends: (await backends.list()).map(backendView) }),
    }),
    POST: operatorEndpoint('platform.backends.manage', {
      summary: 'Adds a backend.',
      body: backendInput,
      newSubject: () => ids.backendId(),
      run: async ({ body, subject }) => {
        const id = parseBackendId(subject)
        assert(id, 'newSubject makes a backend id')
        const stored = await backends.create(id, body)
        if (stored instanceof Problem) return stored
        return created(backendView(stored), { location: `/api/platform/backends/${id}`, etag: backendEtag(stored) })
      },
    }),
  },
})
