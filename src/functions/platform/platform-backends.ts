import { z } from 'zod'
import { assert } from '../../base/assert'
import { parseBackendId } from '../../base/ids'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { pageOf } from '../../http/page-of'
import { created, ok } from '../../http/plain-request'
import { backendPageQuery } from '../../http/request-params'
import { backendInput } from '../../routing/backend-input'
import { backendEtag, backendView, shownBackend } from '../../routing/backend-view'

export const platformBackends = ({ backends, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-backends',
  route: 'api/platform/backends',
  endpoints: {
    GET: operatorEndpoint('platform.backends.read', {
      summary: 'Lists the backends, page by page.',
      query: backendPageQuery,
      answer: z.object({ backends: z.array(shownBackend), next: z.string().optional() }),
      run: async ({ query }) => {
        const { shown, next } = pageOf(await backends.list(), ({ backend }) => backend.id, query)
        return ok({ backends: shown.map(backendView), next })
      },
    }),
    POST: operatorEndpoint('platform.backends.manage', {
      summary: 'Adds a backend.',
      body: backendInput,
      answer: shownBackend,
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
