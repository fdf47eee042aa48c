import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { purposeView, shownPurpose } from '../../shared-models/shared-model-view'

export const platformPurposes = ({ sharedModels }: ControlPlane): HttpTrigger => ({
  name: 'platform-purposes',
  route: 'api/platform/purposes',
  endpoints: {
    GET: operatorEndpoint('platform.shared.read', {
      summary: 'Lists for what tenants’ examples may be used together, with every text that it had.',
      answer: z.object({ purposes: z.array(shownPurpose) }),
      run: async () => ok({ purposes: (await sharedModels.purposes.list()).map(purposeView) }),
    }),
  },
})
