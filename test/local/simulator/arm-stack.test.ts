import type { LedgerPage } from '../../../local/simulator/ledger'
import { chatBody, chatPath } from '../../harness/call'
import { startTestStack, type TenantOptions, type TestStack } from '../../harness/stack'
import { accountId, directoryId, GROUP } from './running-arm'

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack()
  await stack.platform.post('/stamps', {
    name: 'simulated',
    region: 'swedencentral',
    resourceGroupId: GROUP,
    modelAccountIds: [accountId('simulator')],
  })
})
afterAll(() => stack.stop())

const deployment = (modelVersion: string) => ({ deployment: { modelVersion, capacity: 1_000 } })
const aliases = (chat: object, embed: object) => [
  { name: 'chat', model: 'gpt-4.1-mini', capabilities: ['chat'], outputTokensMax: 1_000, ...chat },
  { name: 'embed', model: 'text-embedding-3-small', capabilities: ['embeddings'], ...embed },
]
const made = aliases(deployment('2025-04-14'), deployment('1'))

/** Onboards a tenant and makes a call of its; the account that served it. */
async function servedBy(tenant: TenantOptions & object): Promise<string | undefined> {
  const { apiKey } = await stack.platform.onboard({
    displayName: 'Isolated',
    contact: { email: 'admin@test.example' },
    tier: 'premium',
    region: 'swedencentral',
    aliases: made,
    ...tenant,
  })
  const answer = await fetch(stack.baseUrl + chatPath, {
    method: 'POST',
    headers: { 'api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify(chatBody()),
  })
  await answer.arrayBuffer()
  expect(answer.status).toBe(200)
  const ledger = await fetch(`${stack.simulatorUrl}/simulator/ledger`)
  return ((await ledger.json()) as LedgerPage).records.at(-1)?.account
}

describe('the whole platform on one machine', () => {
  it('makes a tenant’s own deployment in the stamp’s account', async () => {
    expect(await servedBy({ isolation: { models: 'own-deployment', data: 'container' } })).toBe('simulator')
  })

  it('makes a tenant’s own account, and storage that is the tenant’s alone', async () => {
    const account = await servedBy({ isolation: { models: 'dedicated', data: 'account' } })
    expect(account).toMatch(/^tnt-[a-z0-9]{26}$/)
  })

  it('calls a customer’s own account by a token of the customer’s directory', async () => {
    const ownAccount = {
      endpoint: `${stack.simulatorUrl}/accounts/contoso-owned`,
      directoryId: directoryId('contoso'),
      deployments: { chat: 'contoso-chat', embed: 'contoso-embed' },
      credential: { kind: 'identity' },
    }
    const isolation = { models: 'tenant-owned', data: 'logical' }
    const directory = { directoryId: directoryId('contoso') }
    const tenant = { isolation, directory, aliases: aliases({}, {}), ownAccount }
    expect(await servedBy(tenant)).toBe('contoso-owned')
  })
})
