import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, notFound, ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { startOffboarding } from '../../offboarding/start-offboarding'
import { TenantScope } from '../../storage/tenant-scope'
import { tenantPatch } from '../../tenants/tenant-input'
import { operatorTenant, operatorView, tenantEtag } from '../../tenants/tenant-view'

const offboardingStarted = z.object({ offboardingId: z.string(), statusUrl: z.string() })

export const platformTenant = ({ tenants, offboardings }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant',
  route: 'api/platform/tenants/{tenantId}',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Reads a tenant.',
      params: tenantParams,
      answer: operatorTenant,
      run: async ({ params }) => {
        const tenant = await tenants.get(TenantScope.ofPlatform(params.tenantId))
        return tenant ? ok(operatorView(tenant), { etag: tenantEtag(tenant) }) : notFound
      },
    }),
    PATCH: operatorEndpoint('platform.tenants.manage', {
      summary: 'Changes a tenant.',
      params: tenantParams,
      body: tenantPatch,
      answer: operatorTenant,
      needsIfMatch: true,
      run: async ({ params, body, ifMatch }) => {
        const tenant = await tenants.patch(TenantScope.ofPlatform(params.tenantId), body, ifMatch)
        return tenant instanceof Problem ? tenant : ok(operatorView(tenant), { etag: tenantEtag(tenant) })
      },
    }),
    DELETE: operatorEndpoint('platform.tenants.offboard', {
      summary: 'Offboards a tenant: freezes it, exports and deletes everything, and certifies the deletion.',
      params: tenantParams,
      query: z.strictObject({ export: z.enum(['true', 'false']).default('true') }),
      needsIfMatch: true,
      answerStatus: 202,
      answer: offboardingStarted,
      problems: ['conflict'],
      run: async ({ params, query, ifMatch, operator, orchestrations }) => {
        const { tenantId } = params
        const started = await startOffboarding(
          { tenants, offboardings, orchestrations },
          { tenantId, expects: ifMatch, requestedBy: operator.name, withExport: query.export === 'true' },
        )
        if (started instanceof Problem) return started
        return accepted({ ...started, statusUrl: `/api/platform/operations/${started.offboardingId}` })
      },
    }),
  },
})
