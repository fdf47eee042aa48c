import { createRegistrationTokens } from '../../../src/onboarding/registration-tokens'
import { platformRoles } from '../../../src/access/permissions'
import type { Orchestrations, OrchestrationStatus } from '../../../src/base/durable-steps'
import { Problem } from '../../../src/base/problem'
import { newChecklistStatus } from '../../../src/checklists/checklist-status'
import { platformOperation } from '../../../src/functions/platform/platform-operation'
import { registration } from '../../../src/functions/registration'
import type { ControlPlane } from '../../../src/http/control-plane'
import type { Endpoint, Principal } from '../../../src/http/endpoint'
import { matchesAny } from '../../../src/http/precondition'

const suffix = '01k0000000000000000000000a'
const [onboardingId, offboardingId] = [`onb_${suffix}`, `off_${suffix}`] as const
const credentialsUrl = 'https://platform.example/api/credentials/crd_secret'
const exportUrl = 'https://platform.example/api/exports/exp_secret'
const registrationTokens = createRegistrationTokens('a-secret-of-the-tests-with-enough-characters')

const completed = (facts: Readonly<Record<string, string>>): OrchestrationStatus => ({
  state: 'completed',
  input: { tenantId: `ten_${suffix}`, input: {} },
  status: undefined,
  output: { ...newChecklistStatus([]), state: 'completed', facts },
  createdAt: 0,
  updatedAt: 0,
})
const operations = new Map([
  [onboardingId as string, completed({ credentialsUrl, firstKeyId: 'key_1' })],
  [offboardingId, completed({ exportUrl, exportSha256: 'f00d', certificateUrl: 'https://platform.example/cert' })],
])
const orchestrations: Orchestrations = {
  start: async () => {},
  status: async (instanceId) => operations.get(instanceId),
  purge: async () => {},
  running: async () => [],
  ended: async () => [],
  raise: async () => {},
}

async function read(endpoint: Endpoint | undefined, operationId: string, principal: Principal, query = {}) {
  const bound = endpoint?.bind({ params: { operationId }, query, body: undefined, ifMatch: matchesAny, orchestrations })
  if (!bound || bound instanceof Problem) throw new Error('the endpoint takes this')
  return JSON.stringify(await bound(principal, ''))
}
const asOperator = (operationId: string, role: (typeof platformRoles)[number]) =>
  read(platformOperation({} as ControlPlane).endpoints.GET, operationId, {
    kind: 'operator',
    operator: { name: 'somebody', role },
  })

describe('one-time links in an operation’s status', () => {
  it.each(platformRoles)('are shown to %s as the table of permissions says, and all else is', async (role) => {
    const mayOpen = role === 'operator'
    const [onboarding, offboarding] = [await asOperator(onboardingId, role), await asOperator(offboardingId, role)]
    expect([onboarding.includes('crd_secret'), offboarding.includes('exp_secret')]).toEqual([mayOpen, mayOpen])
    expect(onboarding).toContain('"facts":{"firstKeyId":"key_1"')
    expect(offboarding).toContain('"exportSha256":"f00d"')
    expect(offboarding).toContain('https://platform.example/cert')
  })

  it('are shown to the registrant as far as they are his: his key’s, not an export’s', async () => {
    const endpoint = registration({ registrationTokens } as ControlPlane).endpoints.GET
    const asRegistrant = (id: typeof onboardingId | typeof offboardingId) =>
      read(endpoint, id, { kind: 'public' }, { token: registrationTokens.of(id) })
    expect(await asRegistrant(onboardingId)).toContain(credentialsUrl)
    expect(await asRegistrant(offboardingId)).not.toContain('exp_secret')
  })
})
