import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { slaPolicyInput } from '../../sla/objective'
import { shownObjective } from '../../sla/sla-report'
import type { StoredPolicy } from '../../sla/policies'
import { objectiveView } from '../../sla/sla-view'
import { TenantScope } from '../../storage/tenant-scope'

const shownPolicy = z.object({
  isDefault: z.boolean().meta({ description: 'Nobody has set objectives of the tenant’s own.' }),
  objectives: z.array(shownObjective),
})

const policyView = ({ version, objectives }: StoredPolicy) => ({
  isDefault: version === 0,
  objectives: objectives.map(objectiveView),
})
const etagOf = ({ version }: StoredPolicy) => ({ etag: `"${version}"` })

/** What a tenant is promised. */
export const platformTenantSla = ({ sla, tenants }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-sla',
  route: 'api/platform/tenants/{tenantId}/sla',
  endpoints: {
    GET: operatorEndpoint('platform.sla.read', {
      summary: 'Shows the objectives of a tenant.',
      params: tenantParams,
      answer: shownPolicy,
      auditsReads: true,
      run: async ({ params: { tenantId } }) => {
        const scope = TenantScope.ofPlatform(tenantId)
        if (!(await tenants.get(scope))) return notFound
        const policy = await sla.store.policy(scope)
        return ok(policyView(policy), etagOf(policy))
      },
    }),
    PUT: operatorEndpoint('platform.sla.manage', {
      summary: 'Sets the objectives of a tenant, in place of those that it had.',
      params: tenantParams,
      body: slaPolicyInput,
      answer: shownPolicy,
      needsIfMatch: true,
      run: async ({ params: { tenantId }, body, ifMatch }) => {
        const scope = TenantScope.ofPlatform(tenantId)
        if (!(await tenants.get(scope))) return notFound
        const policy = await sla.store.putPolicy(scope, body, ifMatch)
        return policy instanceof Problem ? policy : ok(policyView(policy), etagOf(policy))
      },
    }),
  },
})
