import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { pageOf } from '../../http/page-of'
import { created, notFound, ok } from '../../http/plain-request'
import { directoryPageQuery, tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'
import { guid } from '../../tenants/tenant-input'

const directory = z.object({ directoryId: z.string() })
const directoryInput = z.strictObject({ directoryId: guid('Must be the id of an Entra directory, a GUID') })

/** The Entra directories whose people and applications belong to a tenant. */
export const platformTenantDirectories = ({ tenants, directories }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-directories',
  route: 'api/platform/tenants/{tenantId}/directories',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Lists the directories that are linked to a tenant, page by page.',
      params: tenantParams,
      query: directoryPageQuery,
      answer: z.object({ directories: z.array(directory), next: z.string().optional() }),
      run: async ({ params, query }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        if (!(await tenants.get(scope))) return notFound
        const { shown, next } = pageOf(await directories.list(scope), ({ directoryId }) => directoryId, query)
        return ok({ directories: shown, next })
      },
    }),
    POST: operatorEndpoint('platform.members.manage', {
      summary: 'Links a directory to a tenant; a directory belongs to one tenant at most.',
      params: tenantParams,
      body: directoryInput,
      answer: directory,
      answerStatus: 201,
      problems: ['conflict'],
      run: async ({ params, body }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        if (!(await tenants.get(scope))) return notFound
        const location = `/api/platform/tenants/${params.tenantId}/directories/${body.directoryId}`
        return (await directories.link(scope, body.directoryId)) ?? created(body, { location })
      },
    }),
  },
})
