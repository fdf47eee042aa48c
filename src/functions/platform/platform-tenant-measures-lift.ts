import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { lifted, liftedView, liftInput } from '../../neighbours/noisy-view'
import { TenantScope } from '../../storage/tenant-scope'

export const platformTenantMeasuresLift = ({ noisyNeighbours }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-measures-lift',
  route: 'api/platform/tenants/{tenantId}/measures/lift',
  endpoints: {
    POST: operatorEndpoint('platform.neighbours.manage', {
      summary: 'Ends every measure that holds a tenant back, and takes none for a while.',
      params: tenantParams,
      body: liftInput,
      answer: lifted,
      problems: ['conflict'],
      run: async ({ params, body }) => {
        const done = await noisyNeighbours.lift(TenantScope.ofPlatform(params.tenantId), body)
        if (done instanceof Problem) return done
        return done ? ok(liftedView(done)) : notFound
      },
    }),
  },
})
