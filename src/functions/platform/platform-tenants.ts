import { z } from 'zod'
import { assert } from '../../base/assert'
import { parseTenantId } from '../../base/ids'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, ok } from '../../http/plain-request'
import { tenantPageQuery } from '../../http/request-params'
import { startOnboarding } from '../../onboarding/start-onboarding'
import { tenantInput } from '../../tenants/tenant-input'
import { operatorTenant, operatorView } from '../../tenants/tenant-view'

const onboardingStarted = z.object({ tenantId: z.string(), onboardingId: z.string(), statusUrl: z.string() })

export const platformTenants = ({ tenants, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenants',
  route: 'api/platform/tenants',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Lists the tenants, page by page.',
      query: tenantPageQuery,
      answer: z.object({ tenants: z.array(operatorTenant), next: z.string().optional() }),
      run: async ({ query }) => {
        const page = await tenants.list(query)
        return ok({ tenants: page.tenants.map(operatorView), next: page.next })
      },
    }),
    POST: operatorEndpoint('platform.tenants.manage', {
      summary: 'Registers a tenant.',
      body: tenantInput,
      newSubject: () => ids.tenantId(),
      answer: onboardingStarted,
      answerStatus: 202,
      run: async ({ body, subject, orchestrations }) => {
        const tenantId = parseTenantId(subject)
        assert(tenantId, 'newSubject makes a tenant id')
        const started = await startOnboarding(
          { tenants, orchestrations },
          { tenantId, input: body, needsApproval: false },
        )
        if (started instanceof Problem) return started
        return accepted({ ...started, statusUrl: `/api/platform/operations/${started.onboardingId}` })
      },
    }),
  },
})
