import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'

const deletionCertificate = z.object({
  /** Compact JWS (RFC 7515); the keys that verify it are at /api/.well-known/tenantry-keys.json. */
  certificate: z.string(),
})

/** What proves that a tenant was deleted; it outlives the tenant. */
export const platformTenantDeletionCertificate = ({ offboardings }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-deletion-certificate',
  route: 'api/platform/tenants/{tenantId}/deletion-certificate',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Reads the signed certificate of a tenant’s deletion.',
      params: tenantParams,
      answer: deletionCertificate,
      run: async ({ params }) => {
        const certificate = (await offboardings.get(params.tenantId))?.certificate
        return certificate ? ok({ certificate }) : notFound
      },
    }),
  },
})
