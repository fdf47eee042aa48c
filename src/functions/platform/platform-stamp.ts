import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent, notFound, ok } from '../../http/plain-request'
import { stampParams } from '../../http/request-params'
import { stampPatch } from '../../stamps/stamp-input'
import { shownStamp, stampEtag, stampView } from '../../stamps/stamp-view'

export const platformStamp = ({ stamps }: ControlPlane): HttpTrigger => ({
  name: 'platform-stamp',
  route: 'api/platform/stamps/{stampId}',
  endpoints: {
    GET: operatorEndpoint('platform.stamps.read', {
      summary: 'Reads a stamp.',
      params: stampParams,
      answer: shownStamp,
      run: async ({ params }) => {
        const stored = await stamps.read(params.stampId)
        return stored ? ok(stampView(stored), { etag: stampEtag(stored) }) : notFound
      },
    }),
    PATCH: operatorEndpoint('platform.stamps.manage', {
      summary: 'Changes a stamp; tenants that are on it stay there.',
      params: stampParams,
      body: stampPatch,
      answer: shownStamp,
      needsIfMatch: true,
      run: async ({ params, body, ifMatch }) => {
        const stored = await stamps.patch(params.stampId, body, ifMatch)
        return stored instanceof Problem ? stored : ok(stampView(stored), { etag: stampEtag(stored) })
      },
    }),
    DELETE: operatorEndpoint('platform.stamps.manage', {
      summary: 'Removes a stamp; what tenants have on it stays theirs.',
      params: stampParams,
      needsIfMatch: true,
      run: async ({ params, ifMatch }) => (await stamps.remove(params.stampId, ifMatch)) ?? noContent,
    }),
  },
})
