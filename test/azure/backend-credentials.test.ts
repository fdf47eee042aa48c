import type { GetTokenOptions } from '@azure/core-auth'
import { ACCOUNT_KEY_KNOWN_EVERYWHERE_MS, accountKeyName, createAccountKeys } from '../../src/azure/account-keys'
import { createBackendCredentials, type Authenticated } from '../../src/azure/backend-credentials'
import { TokenRefusedError } from '../../src/azure/oauth-tokens'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { handClock } from '../harness/hand-clock'

const OWNER = 'ten_00000000000000000000000001'
const OTHER = 'ten_00000000000000000000000002'

function credentials(kept: Record<string, string> = {}, rotated = new Set<string>()) {
  const clock = handClock()
  const made = createBackendCredentials({
    settings: { AZURE_OPENAI_API_KEY: 'the-platforms-key' },
    accountKeys: createAccountKeys({
      rotated: async () => new Set(rotated),
      secrets: { get: async (name) => kept[name] },
      clock,
    }),
    identity: {
      getToken: async (_: string | string[], options?: GetTokenOptions) => {
        if (options?.tenantId === 'unconsented') throw new TokenRefusedError('AADSTS65001', 'no consent')
        return { token: `token of ${options?.tenantId ?? 'home'}`, expiresOnTimestamp: clock.now() + 3_600_000 }
      },
    },
    secrets: { get: async ({ tenantId }: TenantScope, name) => kept[`${tenantId}/${name}`] },
    clock,
  })
  const headerOf = async (
    backend: Omit<Authenticated, 'endpoint'>,
    style: 'api-key' | 'bearer',
    endpoint = 'https://sweden.openai.azure.com',
  ) => made.headerOf({ endpoint, ...backend }, style)
  return { clock, headerOf, made }
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
    expect(made.headerOf({ credential: identity, endpoint: 'https://a.example' }, 'api-key')).toEqual([
      'authorization',
      'Bearer token of home',
    ])
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

  describe('by a key', () => {
    const key = { credential: { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' } } as const

    it('is the setting’s, until the platform rotates the account’s', async () => {
      const rotated = new Set<string>()
      const { headerOf, made, clock } = credentials({ [accountKeyName('sweden')]: 'rotated' }, rotated)
      expect(await headerOf(key, 'api-key')).toEqual(['api-key', 'the-platforms-key'])
      rotated.add('sweden')
      await clock.advance(30_000)
      expect(await headerOf(key, 'api-key')).toEqual(['api-key', 'rotated'])
      // Without a wait from then on, at every address of the account.
      const endpoint = 'https://sweden.cognitiveservices.azure.com/'
      expect(made.headerOf({ ...key, endpoint }, 'bearer')).toEqual(['authorization', 'Bearer rotated'])
    })

    it('that is rotated goes to no other address, nor to one that only begins like the account’s', async () => {
      const kept = { [accountKeyName('sweden')]: 'rotated' }
      const { headerOf } = credentials(kept, new Set(['sweden']))
      for (const endpoint of [
        'https://sweden',
        'https://sweden.example',
        'https://sweden.openai.azure.com.example',
        'https://norway.openai.azure.com',
        'https://proxy.example/sweden',
      ])
        expect(await headerOf(key, 'api-key', endpoint)).toEqual(['api-key', 'the-platforms-key'])
    })

    it('that is rotated takes the new one’s place everywhere within the time that a rotation waits', async () => {
      const kept: Record<string, string> = { [accountKeyName('sweden')]: 'first' }
      const { headerOf, clock } = credentials(kept, new Set(['sweden']))
      await headerOf(key, 'api-key')
      kept[accountKeyName('sweden')] = 'second'
      await clock.advance(ACCOUNT_KEY_KNOWN_EVERYWHERE_MS)
      expect(await headerOf(key, 'api-key')).toEqual(['api-key', 'second'])
    })
  })
})
