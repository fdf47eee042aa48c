import { z } from 'zod'
import { assert } from '../../base/assert'
import { parseStampId } from '../../base/ids'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { pageOf } from '../../http/page-of'
import { created, ok } from '../../http/plain-request'
import { stampPageQuery } from '../../http/request-params'
import { stampInput } from '../../stamps/stamp-input'
import { shownStamp, stampEtag, stampView } from '../../stamps/stamp-view'

export const platformStamps = ({ stamps, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-stamps',
  route: 'api/platform/stamps',
  endpoints: {
    GET: operatorEndpoint('platform.stamps.read', {
      summary: 'Lists the stamps, page by page.',
      query: stampPageQuery,
      answer: z.object({ stamps: z.array(shownStamp), next: z.string().optional() }),
      run: async ({ query }) => {
        const { shown, next } = pageOf(await stamps.list(), ({ stamp }) => stamp.id, query)
        return ok({ stamps: shown.map(stampView), next })
      },
    }),
    POST: operatorEndpoint('platform.stamps.manage', {
      summary: 'Adds a stamp.',
      body: stampInput,
      answer: shownStamp,
      newSubject: () => ids.stampId(),
      run: async ({ body, subject }) => {
        const id = parseStampId(subject)
        assert(id, 'newSubject makes a stamp id')
        const stored = await stamps.create(id, body)
        if (stored instanceof Problem) return stored
        return created(stampView(stored), { location: `/api/platform/stamps/${id}`, etag: stampEtag(stored) })
      },
    }),
  },
})
