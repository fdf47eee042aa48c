import { z } from 'zod'
import { Problem } from '../../base/problem'
import { dayOf } from '../../billing/calendar'
import { datedPlanInput, defaultPlan, planInput, planOn } from '../../billing/plan'
import type { StoredPlans } from '../../billing/plans'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

const shownPlans = z.object({
  now: planInput.meta({ description: 'What holds today; usage at list price where none was set.' }),
  plans: z.array(z.object({ from: z.iso.date(), plan: planInput })),
  version: z.int().meta({ description: 'Rises with every change; in quotes the ETag.' }),
})

export const platformTenantPlan = ({ billing, tenants, clock }: ControlPlane): HttpTrigger => {
  const answerOf = (stored: StoredPlans) =>
    ok(
      {
        now: stored.plans.length === 0 ? defaultPlan : planOn(stored.plans, dayOf(clock.now())),
        plans: stored.plans,
        version: stored.version,
      },
      { etag: `"${stored.version}"` },
    )
  return {
    name: 'platform-tenant-plan',
    route: 'api/platform/tenants/{tenantId}/plan',
    endpoints: {
      GET: operatorEndpoint('platform.billing.read', {
        summary: 'Shows what a tenant pays: its plans, each from its day on.',
        params: tenantParams,
        answer: shownPlans,
        run: async ({ params }) => {
          const scope = TenantScope.ofPlatform(params.tenantId)
          return (await tenants.get(scope)) ? answerOf(await billing.plans.read(scope)) : notFound
        },
      }),
      PUT: operatorEndpoint('platform.billing.manage', {
        summary: 'Sets what a tenant pays from a day on; months that have their invoice stay as they are.',
        params: tenantParams,
        body: datedPlanInput,
        answer: shownPlans,
        needsIfMatch: true,
        problems: ['conflict'],
        run: async ({ params, body, ifMatch }) => {
          const scope = TenantScope.ofPlatform(params.tenantId)
          if (!(await tenants.get(scope))) return notFound
          const stored = await billing.plans.set(scope, body, ifMatch)
          return stored instanceof Problem ? stored : answerOf(stored)
        },
      }),
    },
  }
}
