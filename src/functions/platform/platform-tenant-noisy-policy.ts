import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { noisyPolicyInput } from '../../neighbours/noisy-policy'
import { policyView, shownPolicy } from '../../neighbours/noisy-view'
import { TenantScope } from '../../storage/tenant-scope'

export const platformTenantNoisyPolicy = ({ noisyNeighbours, clock }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-noisy-policy',
  route: 'api/platform/tenants/{tenantId}/noisy-policy',
  endpoints: {
    GET: operatorEndpoint('platform.neighbours.read', {
      summary: 'Shows what is done when a tenant is in others’ way.',
      params: tenantParams,
      answer: shownPolicy,
      run: async ({ params }) => {
        const policy = await noisyNeighbours.policy(TenantScope.ofPlatform(params.tenantId))
        return policy ? ok(policyView(policy, clock.now())) : notFound
      },
    }),
    PUT: operatorEndpoint('platform.neighbours.manage', {
      summary: 'Says what is done when a tenant is in others’ way.',
      params: tenantParams,
      body: noisyPolicyInput,
      answer: shownPolicy,
      run: async ({ params, body }) => {
        const policy = await noisyNeighbours.setPolicy(TenantScope.ofPlatform(params.tenantId), body)
        return policy ? ok(policyView(policy, clock.now())) : notFound
      },
    }),
  },
})
