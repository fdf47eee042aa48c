import { randomBytes } from 'node:crypto'
import { keyVaultWrappingKey } from '../../src/azure/key-vault-wrapping-key'
import { serveKeyVault } from './key-vault'

type Vault = Awaited<ReturnType<typeof serveKeyVault>>

/** The wrapping key in a vault whose certificate is trusted by these clients only. */
function wrappingKeyIn(vault: Vault, { keyName = vault.keyName, trusts = true, anyResource = true } = {}) {
  const scopes: (string | string[])[] = []
  const credential = {
    getToken: async (scope: string | string[]) => {
      scopes.push(scope)
      return { token: vault.token, expiresOnTimestamp: Date.now() + 3_600_000 }
    },
  }
  const client = {
    ...(trusts ? { tlsOptions: { ca: vault.cert } } : {}),
    disableChallengeResourceVerification: anyResource,
    retryOptions: { maxRetries: 2, retryDelayInMs: 1 },
  }
  return { scopes, key: keyVaultWrappingKey({ vaultUrl: vault.url, keyName, credential, client }) }
}

const dataKey = randomBytes(32)
const plain = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('a data key wrapped in Key Vault', () => {
  it('is unwrapped to the same bytes, and named after the version that wrapped it', async () => {
    await using vault = await serveKeyVault()
    const { key } = wrappingKeyIn(vault)
    const { wrapped, by } = await key.wrap(dataKey)
    expect(by).toBe(`${vault.url}/keys/wrapping-key/${'1'.padStart(32, '0')}`)
    expect(plain(wrapped)).not.toContain(plain(dataKey))
    expect(plain(await key.unwrap(wrapped, by))).toBe(plain(dataKey))
  })

  it('is unwrapped by its own version after a rotation, while new ones are wrapped with the new version', async () => {
    await using vault = await serveKeyVault()
    const { key } = wrappingKeyIn(vault)
    const before = await key.wrap(dataKey)
    vault.rotate()
    const after = await key.wrap(dataKey)
    expect(after.by).not.toBe(before.by)
    for (const { wrapped, by } of [before, after]) expect(plain(await key.unwrap(wrapped, by))).toBe(plain(dataKey))
    await expect(key.unwrap(before.wrapped, after.by)).rejects.toThrow()
  })

  it('is unwrapped by a version that has expired since, which wraps no more', async () => {
    await using vault = await serveKeyVault()
    const { key } = wrappingKeyIn(vault)
    const { wrapped, by } = await key.wrap(dataKey)
    for (const version of vault.versions) version.expired = true
    expect(plain(await key.unwrap(wrapped, by))).toBe(plain(dataKey))
    await expect(key.wrap(dataKey)).rejects.toThrow('expired')
  })

  it('is unwrapped with one request, once the vault has said whose token it takes', async () => {
    await using vault = await serveKeyVault()
    const { key } = wrappingKeyIn(vault)
    const { wrapped, by } = await key.wrap(dataKey)
    const before = vault.requests.length
    await key.unwrap(wrapped, by)
    expect(vault.requests.slice(before).filter(({ token }) => token !== undefined)).toEqual([
      { method: 'POST', path: `${new URL(by).pathname}/unwrapkey`, token: vault.token },
    ])
  })
})

describe('a token for Key Vault', () => {
  it('is asked for by the challenge’s resource, and sent after the challenge only', async () => {
    await using vault = await serveKeyVault()
    const { key, scopes } = wrappingKeyIn(vault)
    await key.wrap(dataKey)
    expect(new Set(scopes.flat())).toEqual(new Set(['https://vault.localhost/.default']))
    expect(vault.requests[0]).toMatchObject({ method: 'GET', token: undefined })
    expect(vault.requests[1]).toMatchObject({ method: 'GET', token: vault.token })
  })

  it('is not asked for where the challenge names a resource that is not the vault’s', async () => {
    await using vault = await serveKeyVault({ resource: 'https://management.elsewhere.example' })
    const { key, scopes } = wrappingKeyIn(vault, { anyResource: false })
    await expect(key.wrap(dataKey)).rejects.toThrow('does not match the requested domain')
    expect(scopes).toEqual([])
  })

  it('does not reach a vault whose certificate is not trusted', async () => {
    await using vault = await serveKeyVault()
    const { key } = wrappingKeyIn(vault, { trusts: false })
    await expect(key.wrap(dataKey)).rejects.toThrow(/self.signed/)
    expect(vault.requests).toEqual([])
  })

  it('does not go to the vault that a row from elsewhere names', async () => {
    await using vault = await serveKeyVault()
    await using elsewhere = await serveKeyVault()
    const { key } = wrappingKeyIn(vault)
    await expect(key.unwrap(dataKey, `${elsewhere.url}/keys/wrapping-key/1`)).rejects.toThrow('is no key of')
    expect(elsewhere.requests).toEqual([])
  })
})

describe('a vault that refuses', () => {
  it.each([403, 404])('is an error with HTTP %d, and is not asked again', async (status) => {
    await using vault = await serveKeyVault()
    const { key } = wrappingKeyIn(vault)
    vault.failNext({ status })
    await expect(key.wrap(dataKey)).rejects.toMatchObject({ statusCode: status })
    expect(vault.requests).toHaveLength(2)
  })

  it('does not find a key of another name', async () => {
    await using vault = await serveKeyVault()
    await expect(wrappingKeyIn(vault, { keyName: 'other' }).key.wrap(dataKey)).rejects.toMatchObject({
      statusCode: 404,
    })
  })

  it('unwraps no more by a version that is disabled', async () => {
    await using vault = await serveKeyVault()
    const { key } = wrappingKeyIn(vault)
    const { wrapped, by } = await key.wrap(dataKey)
    for (const version of vault.versions) version.enabled = false
    await expect(key.unwrap(wrapped, by)).rejects.toMatchObject({ statusCode: 403 })
  })

  it('is waited for as long as it says when it is asked too often', async () => {
    await using vault = await serveKeyVault()
    const { key } = wrappingKeyIn(vault)
    vault.failNext({ status: 429, headers: { 'retry-after': '1' } })
    const startedMs = performance.now()
    const { wrapped, by } = await key.wrap(dataKey)
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990)
    expect(plain(await key.unwrap(wrapped, by))).toBe(plain(dataKey))
  })

  it('is given up on when it stays too busy', async () => {
    await using vault = await serveKeyVault()
    const { key } = wrappingKeyIn(vault)
    const busy = { status: 429, headers: { 'retry-after-ms': '1' } }
    vault.failNext(busy, busy, busy)
    await expect(key.wrap(dataKey)).rejects.toMatchObject({ statusCode: 429 })
  })
})

describe('a look at the vault', () => {
  it('succeeds where it shows the key, and fails where it has none of the name', async () => {
    await using vault = await serveKeyVault()
    await expect(wrappingKeyIn(vault).key.reach?.()).resolves.toBeUndefined()
    const other = wrappingKeyIn(vault, { keyName: 'another-key' }).key
    expect(other.reach).toBeDefined()
    await expect(other.reach?.()).rejects.toThrow()
  })
})
