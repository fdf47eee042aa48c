import type { GetTokenOptions } from '@azure/core-auth'
import { createBackendCredentials } from '../../src/azure/backend-credentials'
import { TokenRefusedError } from '../../src/azure/oauth-tokens'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { handClock } from '../harness/hand-clock'

const OWNER = 'ten_00000000000000000000000001'
const OTHER = 'ten_00000000000000000000000002'

function credentials(kept: Record<string, string> = {}) {
  const clock = handClock()
  const made = createBackendCredentials({
    settings: { AZURE_OPENAI_API_KEY: 'the-platforms-key' },
    identity: {
      getToken: async (_: string | string[], options?: GetTokenOptions) => {
        if (options?.tenantId === 'unconsented') throw new TokenRefusedError('AADSTS65001', 'no consent')
        return { token: `token of ${options?.tenantId ?? 'home'}`, expiresOnTimestamp: clock.now() + 3_600_000 }
      },
    },
    secrets: { get: async ({ tenantId }: TenantScope, name) => kept[`${tenantId}/${name}`] },
    clock,
  })
  return { clock, headerOf: async (...args: Parameters<typeof made.headerOf>) => made.headerOf(...args), made }
}

const identity = { kind: 'identity' } as const
const secret = { kind: 'tenant-secret', name: 'account-key' } as const

describe('a backend’s credential', () => {
  it('by identity is a token of the account’s directory, and each directory has its own', async () => {
    const { headerOf } = credentials()
    const directoryId = 'customer'
    expect(await headerOf({ credential: identity }, 'api-key')).toEqual(['authorization', 'Bearer token of home'])
    expect(await headerOf({ credential: identity, directoryId }, 'api-key')).toEqual([
      'authorization',
      'Bearer token of customer',
    ])
    expect(await headerOf({ credential: identity }, 'api-key')).toEqual(['authorization', 'Bearer token of home'])
  })

  it('by identity takes no wait while its token is fresh', async () => {
    const { headerOf, made } = credentials()
    await headerOf({ credential: identity }, 'api-key')
    expect(made.headerOf({ credential: identity }, 'api-key')).toEqual(['authorization', 'Bearer token of home'])
  })

  it('by identity is refused as ours to mend where the directory gives no token', async () => {
    const { headerOf } = credentials()
    await expect(headerOf({ credential: identity, directoryId: 'unconsented' }, 'api-key')).rejects.toMatchObject({
      problem: { code: 'upstream_rejected_us', internal: 'AADSTS65001: no consent' },
    })
  })

  it('by a tenant’s secret is its owner’s, never one of that name of another tenant', async () => {
    const { headerOf } = credentials({ [`${OWNER}/account-key`]: 'k1', [`${OTHER}/account-key`]: 'k2' })
    expect(await headerOf({ credential: secret, ownerTenantId: OWNER }, 'api-key')).toEqual(['api-key', 'k1'])
    expect(await headerOf({ credential: secret, ownerTenantId: OTHER }, 'bearer')).toEqual([
      'authorization',
      'Bearer k2',
    ])
    await expect(headerOf({ credential: secret }, 'api-key')).rejects.toMatchObject({
      problem: { code: 'upstream_rejected_us' },
    })
  })

  it('by a secret that was removed is refused within 25 s', async () => {
    const kept: Record<string, string> = { [`${OWNER}/account-key`]: 'k1' }
    const { headerOf, clock } = credentials(kept)
    const backend = { credential: secret, ownerTenantId: OWNER } as const
    await headerOf(backend, 'api-key')
    delete kept[`${OWNER}/account-key`]
    await clock.advance(25_000)
    await expect(headerOf(backend, 'api-key')).rejects.toMatchObject({ problem: { code: 'upstream_rejected_us' } })
  })
})
