import { Problem } from '../base/problem'
import type { ControlPlane } from '../http/control-plane'
import { operatorEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/functions-adapter'
import { noContent, notFound, ok } from '../http/plain-request'
import { backendParams } from '../http/request-params'
import { backendInput, backendPatch } from '../routing/backend-input'
import { backendEtag, backendView } from '../routing/backend-view'

export const platformBackend = ({ backends }: ControlPlane): HttpTrigger => ({
  name: 'platform-backend',
  route: 'api/platform/backends/{backendId}',
  endpoints: {
    GET: operatorEndpoint({
      params: backendParams,
      run: async ({ params }) => {
        const stored = await backends.read(params.backendId)
        return stored ? ok(backendView(stored), { etag: backendEtag(stored) }) : notFound
      },
    }),
    PUT: operatorEndpoint({
      params: backendParams,
      body: backendInput,
      needsIfMatch: true,
      run: async ({ params, body, ifMatch }) => {
        const stored = await backends.replace(params.backendId, body, ifMatch)
        return stored instanceof Problem ? stored : ok(backendView(stored), { etag: backendEtag(stored) })
      },
    }),
    PATCH: operatorEndpoint({
      params: backendParams,
      body: backendPatch,
      needsIfMatch: true,
      run: async ({ params, body, ifMatch }) => {
        const stored = await backends.patch(params.backendId, body, ifMatch)
        return stored instanceof Problem ? stored : ok(backendView(stored), { etag: backendEtag(stored) })
      },
    }),
    DELETE: operatorEndpoint({
      params: backendParams,
      run: async ({ params }) => (await backends.remove(params.backendId)) ?? noContent,
    }),
  },
})
