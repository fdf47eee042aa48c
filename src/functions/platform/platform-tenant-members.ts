import { z } from 'zod'
import { memberAnswer, memberInput, memberView } from '../../access/member-input'
import { memberIdOf } from '../../access/members'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { pageOf } from '../../http/page-of'
import { created, notFound, ok } from '../../http/plain-request'
import { memberPageQuery, tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

/** For operators: a tenant's first owner, or one that takes the place of an owner who has left. */
export const platformTenantMembers = ({ tenants, members }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-members',
  route: 'api/platform/tenants/{tenantId}/members',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Lists a tenant’s members, page by page.',
      params: tenantParams,
      query: memberPageQuery,
      answer: z.object({ members: z.array(memberAnswer), next: z.string().optional() }),
      run: async ({ params, query }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        if (!(await tenants.get(scope))) return notFound
        const { shown, next } = pageOf(await members.list(scope), memberIdOf, query)
        return ok({ members: shown.map(memberView), next })
      },
    }),
    POST: operatorEndpoint('platform.members.manage', {
      summary: 'Gives a user or an application a role in a tenant.',
      params: tenantParams,
      body: memberInput,
      answer: memberAnswer,
      answerStatus: 201,
      problems: ['conflict'],
      run: async ({ params, body }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        if (!(await tenants.get(scope))) return notFound
        const member = await members.put(scope, body, body.role)
        return member instanceof Problem ? member : created(memberView(member), {})
      },
    }),
  },
})
