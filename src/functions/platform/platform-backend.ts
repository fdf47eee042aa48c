import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent, notFound, ok } from '../../http/plain-request'
import { backendParams } from '../../http/request-params'
import { backendInput, backendPatch } from '../../routing/backend-input'
import { backendEtag, backendView, shownBackend } from '../../routing/backend-view'

export const platformBackend = ({ backends }: ControlPlane): HttpTrigger => ({
  name: 'platform-backend',
  route: 'api/platform/backends/{backendId}',
  endpoints: {
    GET: operatorEndpoint('platform.backends.read', {
      summary: 'Reads a backend.',
      params: backendParams,
      answer: shownBackend,
      run: async ({ params }) => {
        const stored = await backends.read(params.backendId)
        return stored ? ok(backendView(stored), { etag: backendEtag(stored) }) : notFound
      },
    }),
    PUT: operatorEndpoint('platform.backends.manage', {
      summary: 'Replaces a backend.',
      params: backendParams,
      body: backendInput,
      answer: shownBackend,
      needsIfMatch: true,
      run: async ({ params, body, ifMatch }) => {
        const stored = await backends.replace(params.backendId, body, ifMatch)
        return stored instanceof Problem ? stored : ok(backendView(stored), { etag: backendEtag(stored) })
      },
    }),
    PATCH: operatorEndpoint('platform.backends.manage', {
      summary: 'Changes a backend.',
      params: backendParams,
      body: backendPatch,
      answer: shownBackend,
      needsIfMatch: true,
      run: async ({ params, body, ifMatch }) => {
        const stored = await backends.patch(params.backendId, body, ifMatch)
        return stored instanceof Problem ? stored : ok(backendView(stored), { etag: backendEtag(stored) })
      },
    }),
    DELETE: operatorEndpoint('platform.backends.manage', {
      summary: 'Removes a backend; aliases that name it pass over it.',
      params: backendParams,
      run: async ({ params }) => (await backends.remove(params.backendId)) ?? noContent,
    }),
  },
})
