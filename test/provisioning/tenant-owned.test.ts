import { startArm, type ArmServer } from './arm-server'
import { ensureAll, provisioningPlatform, removeAll, sharedAccount, type ProvisioningPlatform } from './platform'

const DIRECTORY = 'cccccccc-0000-4000-8000-00000000000c'
let arm: ArmServer
let platform: ProvisioningPlatform
let endpoint: string

/** The tenant's own account `theirs` with the deployment `gpt`, which the platform has not made. */
beforeEach(async () => {
  arm = await startArm()
  platform = await provisioningPlatform(arm.url)
  endpoint = `${arm.url}/data/theirs`
  await platform.arm.put(`${sharedAccount('theirs')}/deployments/gpt`, '2024-10-01', { properties: {} })
})
afterEach(async () => {
  await platform[Symbol.asyncDispose]()
  await arm.close()
})

const owned = (change: object = {}) => ({
  isolation: { models: 'tenant-owned' },
  aliases: [{ name: 'chat', model: 'gpt-4.1-mini' }],
  ownAccount: {
    endpoint,
    directoryId: DIRECTORY,
    deployments: { chat: 'gpt' },
    credential: { kind: 'identity' },
    ...change,
  },
})
const error = (status: number, code: string) => ({ status, body: { error: { code, message: code } } })
const failing = (text: string) => ({
  kind: 'failed',
  problem: { code: 'tenant_account_refused', public: expect.stringContaining(text) },
})

describe('models in a tenant’s own account', () => {
  it('serve its aliases once a token of its directory opened them, and nothing is made there', async () => {
    const before = arm.changes.length
    const tenant = await platform.makeTenant(owned())
    expect(await ensureAll(platform, tenant)).toMatchObject({ kind: 'done' })
    expect((await platform.backends.list()).map(({ backend }) => backend)).toMatchObject([
      { endpoint, deployment: 'gpt', directoryId: DIRECTORY, ownerTenantId: tenant.scope.tenantId },
    ])
    expect(arm.changes).toHaveLength(before)
    await removeAll((scope) => platform.models.removeUnused(scope, undefined), tenant)
    expect(await platform.backends.list()).toEqual([])
    expect(arm.changes).toHaveLength(before)
  })

  it.each([
    ['AADSTS700016', 'not known there'],
    ['AADSTS65001', 'Nobody has consented'],
    ['AADSTS90002', 'no such directory'],
    ['AADSTS7000215', 'own secret is wrong'],
  ])('fail where the directory refuses with %s, and say who mends it', async (code, text) => {
    platform.refusedDirectories.set(DIRECTORY, code)
    const outcome = await ensureAll(platform, await platform.makeTenant(owned()))
    expect(outcome).toMatchObject(failing(text))
    expect(outcome).toMatchObject(failing(code))
    expect(await platform.backends.list()).toEqual([])
  })

  it.each([401, 403])('fail where the account refuses our token with %d, and name the role', async (status) => {
    arm.inference = () => error(status, 'PermissionDenied')
    expect(await ensureAll(platform, await platform.makeTenant(owned()))).toMatchObject(
      failing('Cognitive Services OpenAI User'),
    )
  })

  it('fail where the deployment does not exist, or is of another model', async () => {
    const missing = await platform.makeTenant(owned({ deployments: { chat: 'other' } }))
    expect(await ensureAll(platform, missing)).toMatchObject(failing('does not exist'))
    arm.inference = () => ({ status: 200, body: { model: 'gpt-4.1-2025-04-14' } })
    expect(await ensureAll(platform, await platform.makeTenant(owned()))).toMatchObject(failing('gpt-4.1-2025-04-14'))
  })

  it('wait while the account is throttled or broken', async () => {
    const tenant = await platform.makeTenant(owned())
    arm.inference = () => error(429, 'TooManyRequests')
    expect(await platform.models.ensure(tenant.scope, { record: tenant.record, generation: '' })).toMatchObject({
      kind: 'not-yet',
    })
    arm.inference = () => error(503, 'ServiceUnavailable')
    expect(await platform.models.ensure(tenant.scope, { record: tenant.record, generation: '' })).toMatchObject({
      kind: 'not-yet',
    })
  })

  it('by a key wait until it is handed over, and use it', async () => {
    const credential = { kind: 'tenant-secret', name: 'account-key' }
    const tenant = await platform.makeTenant(owned({ credential, directoryId: undefined }))
    arm.fault = ({ path, headers }) =>
      path.startsWith('/data/') && headers['api-key'] !== 'the-key' ? error(401, '401') : undefined
    expect(await platform.models.ensure(tenant.scope, { record: tenant.record, generation: '' })).toMatchObject({
      kind: 'not-yet',
    })
    await platform.secrets.put(tenant.scope, 'account-key', 'the-key')
    expect(await ensureAll(platform, tenant)).toMatchObject({ kind: 'done' })
    await removeAll((scope) => platform.models.removeUnused(scope, undefined), tenant)
    expect(await platform.models.census(tenant.scope)).toBe(0)
  })

  it('by a wrong key fail, and say that it is wrong', async () => {
    const tenant = await platform.makeTenant(owned({ credential: { kind: 'tenant-secret', name: 'account-key' } }))
    await platform.secrets.put(tenant.scope, 'account-key', 'another')
    arm.inference = () => error(401, '401')
    expect(await ensureAll(platform, tenant)).toMatchObject(failing('The key is wrong'))
  })

  it('are refused in an account that the platform or another tenant uses', async () => {
    const first = await platform.makeTenant(owned())
    expect(await ensureAll(platform, first)).toMatchObject({ kind: 'done' })
    const thief = await platform.makeTenant(owned({ endpoint: `${endpoint}/` }))
    expect(await ensureAll(platform, thief)).toMatchObject(failing('serves others'))
    expect(await ensureAll(platform, first)).toMatchObject({ kind: 'done' })
  })
})
