import { startArm, type ArmServer } from './arm-server'
import {
  deployment,
  ensureAll,
  GROUP,
  provisioningPlatform,
  removeAll,
  sharedAccount,
  type ProvisioningPlatform,
} from './platform'

let arm: ArmServer
let platform: ProvisioningPlatform
const start = async (quota: Readonly<Record<string, number>> = {}) => {
  arm = await startArm({ quota })
  platform = await provisioningPlatform(arm.url)
  for (const name of ['one', 'two', 'three']) {
    await platform.arm.put(sharedAccount(name), '2024-10-01', { location: 'Sweden Central', properties: {} })
    for (let look = 0; look < 3; look++) await platform.arm.get(sharedAccount(name), '2024-10-01')
  }
}
afterEach(async () => {
  await platform[Symbol.asyncDispose]()
  await arm.close()
})

const aliases = [
  { name: 'chat', model: 'gpt-4.1-mini', deployment },
  {
    name: 'large',
    model: 'gpt-4.1-mini',
    deployment: { ...deployment, sku: 'GlobalProvisionedManaged', capacity: 50 },
  },
]
const own = { isolation: { models: 'own-deployment' }, aliases }
const dedicated = { isolation: { models: 'dedicated' }, aliases }
const of = (tenantId: string) => arm.ids().filter((id) => id.includes(tenantId.slice('ten_'.length)))
const error = (status: number, code: string) => ({ status, body: { error: { code, message: code } } })

describe('deployments of a tenant’s own in a shared account', () => {
  it('are made one after the other, answer, and serve the tenant’s aliases and nobody else’s', async () => {
    await start()
    await platform.makeStamp(['one'])
    const tenant = await platform.makeTenant(own)
    expect(await ensureAll(platform, tenant)).toMatchObject({ kind: 'done' })
    const record = await platform.tenants.get(tenant.scope)
    const ids = record?.aliases.map(({ groups }) => groups[0]?.members[0]?.backendId) ?? []
    const made = (await platform.backends.list()).map(({ backend }) => backend)
    expect(ids.map((id) => made.find((backend) => backend.id === id))).toMatchObject([
      {
        endpoint: `${arm.url}/data/one`,
        region: 'swedencentral',
        capacity: 'payg',
        ownerTenantId: tenant.scope.tenantId,
        credential: { kind: 'identity' },
      },
      { capacity: 'ptu', ownerTenantId: tenant.scope.tenantId },
    ])
    const other = await platform.makeTenant(own)
    expect(
      await platform.backends.known(
        ids.flatMap((id) => id ?? []),
        other.scope.tenantId,
      ),
    ).toEqual(new Set())
  })

  it('are made once, however often the step is repeated, in whatever state it broke off', async () => {
    await start()
    await platform.makeStamp(['one'])
    const tenant = await platform.makeTenant(own)
    for (let step = 0; step < 3; step++)
      await platform.models.ensure(tenant.scope, { record: tenant.record, generation: '' })
    await ensureAll(platform, tenant)
    await ensureAll(platform, tenant)
    const puts = arm.changes.filter((change) => change.includes('/deployments/'))
    expect(new Set(puts).size).toBe(2)
    expect(of(tenant.scope.tenantId)).toHaveLength(2)
    expect(await platform.backends.list()).toHaveLength(2)
  })

  it('of two tenants at once in one account are both made: one waits for the other’s change to end', async () => {
    await start()
    await platform.makeStamp(['one'])
    const both = [await platform.makeTenant(own), await platform.makeTenant(own)]
    const outcomes = await Promise.all(both.map((tenant) => ensureAll(platform, tenant)))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'done'])
    for (const { scope } of both) expect(of(scope.tenantId)).toHaveLength(2)
  })

  it('go to the account with the fewest, and stay there', async () => {
    await start()
    await platform.makeStamp(['one', 'two'])
    const [first, second] = [await platform.makeTenant(own), await platform.makeTenant(own)]
    await ensureAll(platform, first)
    await ensureAll(platform, second)
    expect(of(first.scope.tenantId).every((id) => id.includes('/accounts/one/'))).toBe(true)
    expect(of(second.scope.tenantId).every((id) => id.includes('/accounts/two/'))).toBe(true)
  })

  it('go on in the next account where the quota of the first has run out', async () => {
    await start({ [sharedAccount('one')]: 1 })
    await platform.makeStamp(['one', 'two'])
    const tenant = await platform.makeTenant(own)
    expect(await ensureAll(platform, tenant)).toMatchObject({ kind: 'done' })
    expect(of(tenant.scope.tenantId).map((id) => /accounts\/(\w+)/.exec(id)?.[1])).toEqual(['one', 'two'])
  })

  it('fail for good, in Azure’s own words, where no account has quota; and nothing is left once they are removed', async () => {
    await start({ [sharedAccount('one')]: 1, [sharedAccount('two')]: 0 })
    await platform.makeStamp(['one', 'two'])
    const tenant = await platform.makeTenant(own)
    expect(await ensureAll(platform, tenant)).toMatchObject({
      kind: 'failed',
      problem: { code: 'no_stamp', public: expect.stringContaining('InsufficientQuota') },
    })
    expect(await platform.models.census(tenant.scope)).toBeGreaterThan(0)
    await removeAll((scope) => platform.models.removeUnused(scope, undefined), tenant)
    expect(of(tenant.scope.tenantId)).toEqual([])
    expect(await platform.models.census(tenant.scope)).toBe(0)
  })

  it('wait while ARM throttles or fails, and are done afterwards', async () => {
    await start()
    await platform.makeStamp(['one'])
    const tenant = await platform.makeTenant(own)
    let refusals = 0
    arm.fault = ({ path }) => {
      if (!path.includes('/deployments/') || path.startsWith('/data/') || refusals >= 4) return undefined
      return refusals++ % 2 === 0 ? error(429, 'TooManyRequests') : error(503, 'ServiceUnavailable')
    }
    expect(await ensureAll(platform, tenant)).toMatchObject({ kind: 'done' })
    expect(refusals).toBe(4)
  })

  it('fail for good where a policy forbids them', async () => {
    await start()
    await platform.makeStamp(['one'])
    const tenant = await platform.makeTenant(own)
    arm.fault = ({ method }) => (method === 'PUT' ? error(403, 'RequestDisallowedByPolicy') : undefined)
    expect(await ensureAll(platform, tenant)).toMatchObject({
      kind: 'failed',
      problem: { code: 'provisioning_refused' },
    })
  })

  it('are not made where no stamp of the region takes the tenant, or the stamp has no account', async () => {
    await start()
    const [tenant, later] = [await platform.makeTenant(own), await platform.makeTenant(own)]
    await platform.makeStamp(['one'], { region: 'westeurope' })
    expect(await ensureAll(platform, tenant)).toMatchObject({ kind: 'failed', problem: { code: 'no_stamp' } })
    await platform.makeStamp([])
    expect(await ensureAll(platform, later)).toMatchObject({ kind: 'failed', problem: { code: 'no_stamp' } })
    expect(arm.changes.filter((change) => change.includes('/deployments/'))).toEqual([])
  })
})

describe('an account of a tenant’s own', () => {
  it('is made in the stamp’s resource group, with the platform’s role on it, before its deployments', async () => {
    await start()
    await platform.makeStamp([])
    const tenant = await platform.makeTenant(dedicated)
    expect(await ensureAll(platform, tenant)).toMatchObject({ kind: 'done' })
    const kinds = arm.changes
      .filter((change) => change.includes('tnt-'))
      .map((change) => /(\w+)\/[^/]+$/.exec(change)?.[1])
    expect([...new Set(kinds)]).toEqual(['accounts', 'roleAssignments', 'deployments'])
    expect(of(tenant.scope.tenantId)[0]).toContain(
      `${GROUP}/providers/microsoft.cognitiveservices/accounts/tnt-`.toLowerCase(),
    )
  })

  it('is waited for while its role does not bite yet', async () => {
    await start()
    await platform.makeStamp([])
    const tenant = await platform.makeTenant(dedicated)
    let calls = 0
    arm.inference = () =>
      ++calls <= 3 ? error(401, 'PermissionDenied') : { status: 200, body: { model: 'gpt-4.1-mini-2025-04-14' } }
    expect(await ensureAll(platform, tenant)).toMatchObject({ kind: 'done' })
    expect(calls).toBeGreaterThan(4)
  })

  it('is removed whole, purged so that its name is free, and can be made again', async () => {
    await start()
    await platform.makeStamp([])
    const tenant = await platform.makeTenant(dedicated)
    await ensureAll(platform, tenant)
    expect(await platform.models.census(tenant.scope)).toBe(5)
    await removeAll((scope) => platform.models.removeUnused(scope, undefined), tenant)
    expect(of(tenant.scope.tenantId)).toEqual([])
    expect(await platform.models.census(tenant.scope)).toBe(0)
    expect(await platform.backends.list()).toEqual([])
    expect(await ensureAll(platform, tenant)).toMatchObject({ kind: 'done' })
  })

  it('whose name is still kept from an earlier deletion is purged first', async () => {
    await start()
    await platform.makeStamp([])
    const tenant = await platform.makeTenant(dedicated)
    await ensureAll(platform, tenant)
    const id = arm.ids().find((each) => /accounts\/tnt-[^/]+$/.test(each)) ?? ''
    // Somebody deletes it by hand.
    await platform.arm.remove(id, '2024-10-01')
    for (const { backend } of await platform.backends.list()) await platform.backends.remove(backend.id)
    expect(await ensureAll(platform, tenant)).toMatchObject({ kind: 'done' })
  })
})

describe('a storage account of a tenant’s own', () => {
  it.each([true, false])(
    'is made once, with the platform’s roles unless it works by keys (%p), and removed',
    async (usesKeys) => {
      await start()
      await platform[Symbol.asyncDispose]()
      platform = await provisioningPlatform(arm.url, { usesKeys })
      await platform.makeStamp([])
      const tenant = await platform.makeTenant({})
      let ensured = await platform.accounts.ensure(tenant.scope, { record: tenant.record, generation: '' })
      for (let step = 0; step < 20 && ensured.kind === 'not-yet'; step++)
        ensured = await platform.accounts.ensure(tenant.scope, { record: tenant.record, generation: '' })
      const name = `tnt${tenant.scope.tenantId.slice(-21)}`
      const resourceId = `${GROUP}/providers/Microsoft.Storage/storageAccounts/${name}`
      expect(ensured).toEqual({
        kind: 'ready',
        account: {
          resourceId,
          name,
          blobUrl: `https://${name}.blob.example`,
          queueUrl: `https://${name}.queue.example`,
          tableUrl: `https://${name}.table.example`,
        },
      })
      const isOf = (id: string) => id.includes(name)
      expect(arm.ids().filter(isOf)).toHaveLength(usesKeys ? 1 : 4)
      expect(await platform.accounts.census(tenant.scope)).toBe(1)
      await removeAll((scope) => platform.accounts.remove(scope, () => true), tenant)
      expect(arm.ids().filter(isOf)).toEqual([])
      expect(await platform.accounts.census(tenant.scope)).toBe(0)
    },
  )

  it('gives its first key, and says so where it cannot', async () => {
    await start()
    arm.fault = ({ path }) =>
      path.endsWith('/listKeys') ? { status: 200, body: { keys: [{ keyName: 'key1', value: 'a2V5' }] } } : undefined
    expect(await platform.accounts.keyOf(`${GROUP}/providers/Microsoft.Storage/storageAccounts/a`)).toBe('a2V5')
    arm.fault = () => error(403, 'AuthorizationFailed')
    await expect(platform.accounts.keyOf('/subscriptions/a')).rejects.toThrow('no key')
  })
})
