import { memberAnswer, memberParams, memberPatch, memberView } from '../../access/member-input'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent, notFound, ok } from '../../http/plain-request'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantMember = ({ members }: ControlPlane): HttpTrigger => ({
  name: 'tenant-member',
  route: 'api/tenant/members/{memberId}',
  endpoints: {
    PATCH: tenantEndpoint('members.manage', {
      summary: 'Changes a member’s role.',
      params: memberParams,
      body: memberPatch,
      answer: memberAnswer,
      problems: ['conflict'],
      run: async ({ caller, params, body }) => {
        const scope = TenantScope.ofCaller(caller)
        const known = await members.get(scope, params.memberId)
        if (!known) return notFound
        const member = await members.put(scope, known, body.role)
        return member instanceof Problem ? member : ok(memberView(member))
      },
    }),
    DELETE: tenantEndpoint('members.manage', {
      summary: 'Removes a member; refused everywhere within 30 s, with an app role too, until added again.',
      params: memberParams,
      problems: ['conflict'],
      run: async ({ caller, params }) => {
        const scope = TenantScope.ofCaller(caller)
        if (!(await members.get(scope, params.memberId))) return notFound
        return (await members.remove(scope, params.memberId)) ?? noContent
      },
    }),
  },
})
