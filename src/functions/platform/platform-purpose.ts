import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { purposeParams } from '../../http/request-params'
import { partyView, shownParty } from '../../shared-models/ledger-view'
import { purposeInput } from '../../shared-models/purpose'
import { purposeView, shownPurpose } from '../../shared-models/shared-model-view'
import { TenantScope } from '../../storage/tenant-scope'

export const platformPurpose = ({ sharedModels }: ControlPlane): HttpTrigger => ({
  name: 'platform-purpose',
  route: 'api/platform/purposes/{purposeId}',
  endpoints: {
    GET: operatorEndpoint('platform.shared.read', {
      summary: 'Shows a purpose, and what tenants have said to it.',
      params: purposeParams,
      answer: shownPurpose.extend({ tenants: z.array(shownParty) }),
      // Says of tenants what they agreed to.
      auditsReads: true,
      run: async ({ params: { purposeId } }) => {
        const purpose = await sharedModels.purposes.get(purposeId)
        if (!purpose) return notFound
        const tenants = []
        for await (const tenantId of sharedModels.consents.everyCandidate(purposeId)) {
          const entry = await sharedModels.consents.current(TenantScope.ofPlatform(tenantId), purposeId)
          tenants.push(partyView(purpose, tenantId, entry))
        }
        return ok({ ...purposeView(purpose), tenants })
      },
    }),
    PUT: operatorEndpoint('platform.shared.manage', {
      summary: 'Makes a purpose, or gives it another title or text.',
      params: purposeParams,
      body: purposeInput,
      answer: shownPurpose,
      problems: ['conflict'],
      run: async ({ params: { purposeId }, body }) => {
        const purpose = await sharedModels.purposes.put(purposeId, body)
        return purpose instanceof Problem ? purpose : ok(purposeView(purpose))
      },
    }),
  },
})
