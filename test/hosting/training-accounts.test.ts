import { createModelsPlans } from '../../src/provisioning/models-plan'
import { tenantTable } from '../../src/storage/tenant-table'
import { trainingAccountsOf } from '../../src/tuning/training-accounts'
import { startArm, type ArmServer } from '../provisioning/arm-server'
import { deployment, provisioningPlatform, sharedAccount, type ProvisioningPlatform } from '../provisioning/platform'

let arm: ArmServer
let platform: ProvisioningPlatform
beforeAll(async () => {
  arm = await startArm()
  platform = await provisioningPlatform(arm.url)
  await platform.makeStamp(['one', 'two'])
})
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await arm.close()
})

const accountsOf = async (tenant: object) => {
  const { scope, record } = await platform.makeTenant(tenant)
  const rows = tenantTable(platform.storage.table('tenants'))
  if (record.isolation.models === 'dedicated') {
    const placement = { stampId: `stm_${'0'.repeat(26)}`, region: 'swedencentral', resourceGroupId: '/g' } as const
    const dedicated = { accountId: sharedAccount('its-own'), region: 'swedencentral' }
    await createModelsPlans(rows).create(scope, '', { placement, dedicated, deployments: [] })
  }
  const { stamps, backends, tenants } = platform
  return { scope, accounts: await trainingAccountsOf({ rows, stamps, backends, tenants }, scope) }
}

const aliases = [{ name: 'chat', model: 'gpt-4.1-mini', deployment }]
const identity = { kind: 'identity' }

describe('the accounts that may train for a tenant', () => {
  it('are its stamp’s where it shares accounts, also with deployments of its own', async () => {
    const { accounts } = await accountsOf({ isolation: { models: 'own-deployment' }, aliases })
    expect(accounts).toEqual([
      { accountId: sharedAccount('one'), credential: identity },
      { accountId: sharedAccount('two'), credential: identity },
    ])
  })

  it('is its own alone, where it has one', async () => {
    const { accounts } = await accountsOf({ isolation: { models: 'dedicated' }, aliases })
    expect(accounts).toEqual([{ accountId: sharedAccount('its-own'), credential: identity }])
  })

  it('is the one in its own subscription that its record names, by its own credential; none where it names none', async () => {
    const directoryId = '11111111-0000-4000-8000-000000000001'
    const ownAccount = {
      endpoint: 'https://contoso.openai.azure.com',
      directoryId,
      deployments: { chat: 'contoso-chat' },
      credential: identity,
    }
    const owned = { isolation: { models: 'tenant-owned' }, aliases: [{ name: 'chat', model: 'gpt-4.1-mini' }] }
    expect((await accountsOf({ ...owned, ownAccount })).accounts).toEqual([])
    const { scope, accounts } = await accountsOf({
      ...owned,
      ownAccount: { ...ownAccount, resourceId: sharedAccount('contoso') },
    })
    const { tenantId } = scope
    expect(accounts).toEqual([
      { accountId: sharedAccount('contoso'), credential: identity, ownerTenantId: tenantId, directoryId },
    ])
  })
})
