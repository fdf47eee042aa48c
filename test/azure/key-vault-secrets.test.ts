import { createKeyVaultSecrets } from '../../src/azure/key-vault-secrets'
import { systemClock } from '../../src/base/clock'
import { createSmallHttp } from '../../src/azure/small-http'
import { TenantScope } from '../../src/storage/tenant-scope'
import { fixedIdentity, serveJson, type JsonAnswer } from './json-server'

const http = createSmallHttp()
afterAll(() => http.close())

const scope = TenantScope.ofPlatform('ten_00000000000000000000000001')
const other = TenantScope.ofPlatform('ten_00000000000000000000000002')

/** Unix seconds, as Key Vault writes times. */
const UPDATED_S = 1_780_000_000

/** Key Vault's secrets as far as these calls go: soft delete, purge, and lists in pages of two. */
async function vault(purge: { status?: number; busyFor?: number } = {}) {
  let busyFor = purge.busyFor ?? 0
  const secrets = new Map<string, string>()
  const deleted = new Set<string>()
  const waitedMs: number[] = []
  const server = await serveJson(({ method, path, query, text }): JsonAnswer => {
    const [, kind = '', name = ''] = path.split('/')
    if (query.get('api-version') !== '7.4') return { status: 400 }
    if (name === '') {
      const all = [...(kind === 'secrets' ? secrets.keys() : deleted)].sort()
      const from = Number(query.get('from') ?? 0)
      const value = all
        .slice(from, from + 2)
        .map((each) => ({ id: `${server.url}/secrets/${each}`, attributes: { updated: UPDATED_S } }))
      const nextLink = from + 2 < all.length ? `${server.url}/${kind}?api-version=7.4&from=${from + 2}` : null
      return { status: 200, body: { value, nextLink } }
    }
    if (kind === 'deletedsecrets') {
      if (busyFor-- > 0) return { status: 409 }
      return { status: purge.status ?? (deleted.delete(name) ? 204 : 404) }
    }
    if (method === 'PUT') {
      if (deleted.has(name)) return { status: 409 }
      secrets.set(name, JSON.parse(text).value)
      return { status: 200, body: {} }
    }
    if (method === 'DELETE') {
      if (secrets.delete(name)) deleted.add(name)
      return { status: deleted.has(name) ? 200 : 404 }
    }
    const value = secrets.get(name)
    return value === undefined ? { status: 404 } : { status: 200, body: { value } }
  })
  const clock = { ...systemClock, sleep: async (ms: number) => void waitedMs.push(ms) }
  const store = createKeyVaultSecrets({ vaultUrl: `${server.url}/`, identity: fixedIdentity(), http, clock })
  return { secrets, deleted, waitedMs, purge, store, [Symbol.asyncDispose]: () => server.close() }
}

describe('a tenant’s secret in Key Vault', () => {
  it('is kept under a name of the tenant’s, and read by that tenant only', async () => {
    await using place = await vault()
    await place.store.put(scope, 'account-key', 'k1')
    expect([...place.secrets]).toEqual([['ten-00000000000000000000000001-account-key', 'k1']])
    expect(await place.store.get(scope, 'account-key')).toBe('k1')
    expect(await place.store.get(other, 'account-key')).toBeUndefined()
  })

  it('is listed over all pages, without those of others', async () => {
    await using place = await vault()
    for (const name of ['a', 'b', 'c']) await place.store.put(scope, name, name)
    await place.store.put(other, 'd', 'd')
    expect(await place.store.list(scope)).toEqual(['a', 'b', 'c'])
  })

  it('is purged when it is removed, so that its name can be used again', async () => {
    await using place = await vault()
    await place.store.put(scope, 'account-key', 'k1')
    await place.store.remove(scope, 'account-key')
    await place.store.remove(scope, 'account-key')
    expect(await place.store.get(scope, 'account-key')).toBeUndefined()
    await place.store.put(scope, 'account-key', 'k2')
    expect(await place.store.get(scope, 'account-key')).toBe('k2')
  })
  it('that the vault refuses to purge is an error that names the permission, and remains until it is purged', async () => {
    await using place = await vault({ status: 403 })
    await place.store.put(scope, 'account-key', 'k1')
    await expect(place.store.remove(scope, 'account-key')).rejects.toThrow(/"purge".*Key Vault Secrets Officer/)
    expect(await place.store.list(scope)).toEqual([])
    expect(await place.store.remains(scope)).toEqual(['account-key'])
    expect(await place.store.remains(other)).toEqual([])
    delete place.purge.status
    await place.store.remove(scope, 'account-key')
    expect(await place.store.remains(scope)).toEqual([])
  })

  it('is waited for while the vault is still deleting it, and then purged', async () => {
    await using place = await vault({ busyFor: 3 })
    await place.store.put(scope, 'account-key', 'k1')
    await place.store.remove(scope, 'account-key')
    expect(place.deleted.size).toBe(0)
    expect(place.waitedMs).toEqual([2_000, 2_000, 2_000])
  })

  it('that is being deleted for too long can be removed later', async () => {
    await using place = await vault({ busyFor: 20 })
    await place.store.put(scope, 'account-key', 'k1')
    await expect(place.store.remove(scope, 'account-key')).rejects.toMatchObject({
      problem: { code: 'storage_unavailable' },
    })
    await place.store.remove(scope, 'account-key')
    expect(await place.store.remains(scope)).toEqual([])
  })
})

describe('the list of a vault', () => {
  it('fails where it has more names than can be read, and leaves none out in silence', async () => {
    await using place = await vault()
    // A hundred pages of two, and one name more.
    for (let n = 0; n < 200; n++) place.secrets.set(`ten-00000000000000000000000002-${String(n).padStart(3, '0')}`, 'k')
    expect(await place.store.list(other)).toHaveLength(200)
    await place.store.put(scope, 'last', 'k1')
    place.secrets.set('zz-behind', 'k')
    await expect(place.store.list(scope)).rejects.toThrow('more than 2500 secrets')
  })
})

it('the ages of all tenants’ secrets are read in one list of the vault, over all pages, without what is no tenant’s', async () => {
  await using place = await vault()
  for (const name of ['one', 'two']) await place.store.put(scope, name, 'k')
  await place.store.put(other, 'one', 'k')
  place.secrets.set('wrapping-key-backup', 'of the platform’s')
  const ages = await Array.fromAsync(place.store.ages(async function* () {}))
  expect(ages).toEqual([
    { tenantId: scope.tenantId, name: 'one', changedAt: UPDATED_S * 1_000 },
    { tenantId: scope.tenantId, name: 'two', changedAt: UPDATED_S * 1_000 },
    { tenantId: other.tenantId, name: 'one', changedAt: UPDATED_S * 1_000 },
  ])
})

it('the platform’s own secrets are no tenant’s: they are in nobody’s list, and replaced by a new version', async () => {
  await using place = await vault()
  await place.store.platform.put('account-key-1', 'k1')
  await place.store.platform.put('account-key-1', 'k2')
  expect([...place.secrets]).toEqual([['platform-account-key-1', 'k2']])
  expect(await place.store.platform.get('account-key-1')).toBe('k2')
  expect(await place.store.platform.get('account-key-2')).toBeUndefined()
  expect(await place.store.remains(scope)).toEqual([])
})
