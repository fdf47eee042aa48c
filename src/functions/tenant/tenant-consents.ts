import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { askedConsent, consentInput, consentView, shownConsent } from '../../shared-models/consent'
import { reconsider } from '../../shared-models/objections'
import { purposeId } from '../../shared-models/purpose'
import { ledgerView, shownLedger } from '../../shared-models/ledger-view'
import { TenantScope } from '../../storage/tenant-scope'

const consentsQuery = z.strictObject({
  purpose: purposeId.optional().meta({ description: 'Shows every entry of this purpose besides, the newest first.' }),
})

export const tenantConsents = ({ sharedModels }: ControlPlane): HttpTrigger => ({
  name: 'tenant-consents',
  route: 'api/tenant/consents',
  endpoints: {
    GET: tenantEndpoint('consents.read', {
      summary: 'Shows for what tenants’ examples may be used together, and what this tenant has said to it.',
      query: consentsQuery,
      answer: shownLedger,
      run: async ({ caller, query }) => ok(await ledgerView(sharedModels, TenantScope.ofCaller(caller), query.purpose)),
    }),
    POST: tenantEndpoint('consents.manage', {
      summary: 'Consents to the use of files for a purpose, or objects to it; what was said last holds.',
      body: consentInput,
      answer: shownConsent,
      problems: ['conflict', 'not_found'],
      run: async ({ caller, body }) => {
        const scope = TenantScope.ofCaller(caller)
        const entry = await sharedModels.consents.add(scope, caller.callerId, askedConsent(body))
        if (entry instanceof Problem) return entry
        // Also where it said so before: what follows may have broken off.
        await reconsider(sharedModels, scope, entry)
        return ok(consentView(entry))
      },
    }),
  },
})
