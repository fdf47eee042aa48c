import { z } from 'zod'
import { memberAnswer, memberInput, memberView } from '../../access/member-input'
import { memberIdOf } from '../../access/members'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { pageOf } from '../../http/page-of'
import { created, ok } from '../../http/plain-request'
import { memberPageQuery } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

/** People and applications of the tenant's directories, with their roles. */
export const tenantMembers = ({ members, directories }: ControlPlane): HttpTrigger => ({
  name: 'tenant-members',
  route: 'api/tenant/members',
  endpoints: {
    GET: tenantEndpoint('members.read', {
      summary: 'Lists the tenant’s members, page by page.',
      query: memberPageQuery,
      answer: z.object({ members: z.array(memberAnswer), next: z.string().optional() }),
      run: async ({ caller, query }) => {
        const found = await members.list(TenantScope.ofCaller(caller))
        const { shown, next } = pageOf(found, memberIdOf, query)
        return ok({ members: shown.map(memberView), next })
      },
    }),
    POST: tenantEndpoint('members.manage', {
      summary: 'Gives a user or an application of a linked directory a role; for a member it changes the role.',
      body: memberInput,
      answer: memberAnswer,
      answerStatus: 201,
      problems: ['conflict'],
      run: async ({ caller, body }) => {
        const scope = TenantScope.ofCaller(caller)
        const linked = await directories.list(scope)
        if (!linked.some(({ directoryId }) => directoryId === body.directoryId)) return notLinked
        const member = await members.put(scope, body, body.role)
        if (member instanceof Problem) return member
        return created(memberView(member), { location: `/api/tenant/members/${memberIdOf(member)}` })
      },
    }),
  },
})

const notLinked = new Problem(
  'invalid_request',
  'directoryId: Must be a directory that is linked to this tenant; the platform’s operators link them.',
  { param: 'directoryId' },
)
