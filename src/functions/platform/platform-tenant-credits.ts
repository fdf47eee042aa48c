import { z } from 'zod'
import { assert } from '../../base/assert'
import { creditInput, parseCreditId } from '../../billing/credit'
import type { StoredCredit } from '../../billing/credits'
import type { ControlPlane } from '../../http/control-plane'
import { creditPageQuery } from '../../http/billing-params'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { created, notFound, ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

const shownCredit = z
  .object({
    id: z.string(),
    kind: z.enum(['credit', 'charge']),
    microUsd: z.int(),
    reason: z.string(),
    period: z.string().optional(),
    by: z.string(),
    createdAt: z.iso.datetime(),
    on: z.string().optional().meta({ description: 'The month of the invoice that has it; absent while none has.' }),
  })
  .meta({ id: 'Credit' })

const creditView = ({ createdAt, ...credit }: StoredCredit) => ({
  ...credit,
  createdAt: new Date(createdAt).toISOString(),
})

/** What operators give and take by hand. Nothing of it is changed or removed: whoever was wrong enters the opposite. */
export const platformTenantCredits = ({ billing, tenants, clock }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-credits',
  route: 'api/platform/tenants/{tenantId}/credits',
  endpoints: {
    GET: operatorEndpoint('platform.billing.read', {
      summary: 'Lists a tenant’s credits and charges by hand, the oldest first.',
      params: tenantParams,
      query: creditPageQuery,
      answer: z.object({ credits: z.array(shownCredit), next: z.string().optional() }),
      run: async ({ params, query: { after, limit } }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        if (!(await tenants.get(scope))) return notFound
        const found = await billing.credits.page(scope, { after, limit: limit + 1 })
        const shown = found.slice(0, limit)
        return ok({ credits: shown.map(creditView), next: found.length > limit ? shown.at(-1)?.id : undefined })
      },
    }),
    POST: operatorEndpoint('platform.billing.manage', {
      summary: 'Gives a tenant a credit, or charges it, on its next invoice.',
      params: tenantParams,
      body: creditInput,
      newSubject: () => billing.newCreditId(),
      answer: shownCredit,
      run: async ({ params, body, subject, operator }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        if (!(await tenants.get(scope))) return notFound
        const id = parseCreditId(subject)
        assert(id, 'newSubject makes a credit id')
        const credit = await billing.credits.enter(scope, { id, ...body, by: operator.name, createdAt: clock.now() })
        return created(creditView(credit), { location: `/api/platform/tenants/${params.tenantId}/credits` })
      },
    }),
  },
})
