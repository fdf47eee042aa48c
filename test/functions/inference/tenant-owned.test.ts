import { findDirectory, SIMULATED_SECRET } from '../../../local/simulator/entra/directories'
import { INFERENCE_ROLE } from '../../../src/routing/account-watch'
import { chatBody, chatPath, post } from '../../harness/call'
import { startTestStack, type TestStack, type TestTenant } from '../../harness/stack'

const CONTOSO = findDirectory('contoso')?.id ?? ''
const ACCOUNT =
  '/subscriptions/00000000-0000-4000-8000-000000000002/resourceGroups/contoso/providers/Microsoft.CognitiveServices/accounts/contoso-owned'
const ROLES_VERSION = '2022-04-01'

let stack: TestStack
let owner: TestTenant
let other: TestTenant

beforeAll(async () => {
  stack = await startTestStack()
  const theirs = {
    displayName: 'Contoso',
    contact: { email: 'admin@contoso.example' },
    tier: 'premium',
    region: 'swedencentral',
    isolation: { models: 'tenant-owned' },
    aliases: [{ name: 'chat', model: 'gpt-4.1-mini' }],
    ownAccount: {
      endpoint: `${stack.simulatorUrl}/accounts/contoso-owned`,
      directoryId: CONTOSO,
      deployments: { chat: 'contoso-chat' },
      credential: { kind: 'identity' },
    },
  }
  ;[owner, other] = await Promise.all([stack.platform.onboard(theirs), stack.makeTenant()])
})
afterAll(() => stack.stop())

const call = ({ apiKey }: TestTenant) => post({ baseUrl: stack.baseUrl, apiKey }, chatPath, chatBody())

/** As the customer's own administrator, who has the subscription. */
async function asAnn(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const granted = await fetch(`${stack.simulatorUrl}/entra/${CONTOSO}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      username: 'ann',
      password: SIMULATED_SECRET,
      scope: 'https://management.azure.com/.default',
    }),
  })
  const { access_token: token } = (await granted.json()) as { access_token: string }
  const answer = await fetch(`${stack.simulatorUrl}${path}?api-version=${ROLES_VERSION}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: answer.status, body: await answer.json().catch(() => undefined) }
}

interface RoleAssignment {
  readonly id: string
  readonly properties: { readonly scope: string; readonly principalId: string; readonly roleDefinitionId: string }
}

async function platformsRole(): Promise<RoleAssignment> {
  const listed = await asAnn('GET', `${ACCOUNT}/providers/Microsoft.Authorization/roleAssignments`)
  const { value } = listed.body as { value: RoleAssignment[] }
  const found = value.find(({ properties }) => properties.scope === ACCOUNT)
  if (!found) throw new Error('the platform has no role on the account')
  return found
}

const openAlerts = async () => {
  const { body } = await stack.platform.get<{ alerts: { id: string; state: string; tenantId?: string }[] }>('/alerts')
  return body.alerts.filter(({ id, state }) => id.startsWith('backend-refuses/') && state === 'open')
}

describe('a tenant’s own account', () => {
  it('serves its owner by a token of its own directory', async () => {
    expect((await call(owner)).status).toBe(200)
    const [last] = (await stack.ledger()).slice(-1)
    expect(last).toMatchObject({ deployment: 'contoso-chat', account: 'contoso-owned', credentialKind: 'bearer-jwt' })
  })

  it('that takes the platform’s role away tells its callers which role is missing, its operators by an alert, and nobody else notices', async () => {
    const role = await platformsRole()
    expect((await asAnn('DELETE', role.id)).status).toBe(200)
    const refused = await call(owner)
    expect(refused).toMatchObject({ status: 502, json: { error: { code: 'model_account_refuses' } } })
    expect(refused.json.error?.message).toContain(INFERENCE_ROLE)
    expect(refused.json.error?.message).toContain('administrator')
    expect((await call(other)).status).toBe(200)

    let alerts = await openAlerts()
    while (alerts.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      alerts = await openAlerts()
    }
    expect(alerts).toEqual([
      expect.objectContaining({
        tenantId: owner.tenantId,
        audience: 'tenant',
        detail: expect.stringContaining(INFERENCE_ROLE),
      }),
    ])
    expect(JSON.stringify(alerts)).toContain(CONTOSO)

    // Given back, it is used again without a restart, once the circuit has looked.
    expect((await asAnn('PUT', role.id, { properties: role.properties })).status).toBe(201)
    let served = await call(owner)
    while (served.status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      served = await call(owner)
    }
    expect(served.status).toBe(200)
  })
})
