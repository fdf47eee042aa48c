import { createKeyVaultSecrets } from '../../src/azure/key-vault-secrets'
import { createSmallHttp } from '../../src/azure/small-http'
import { TenantScope } from '../../src/storage/tenant-scope'
import { fixedIdentity, serveJson, type JsonAnswer } from './json-server'

const http = createSmallHttp()
afterAll(() => http.close())

const scope = TenantScope.ofPlatform('ten_00000000000000000000000001')
const other = TenantScope.ofPlatform('ten_00000000000000000000000002')

/** Key Vault's secrets as far as these calls go: soft delete, purge, and a list in pages of two. */
async function vault() {
  const secrets = new Map<string, string>()
  const deleted = new Set<string>()
  const server = await serveJson(({ method, path, query, text }): JsonAnswer => {
    const [, kind = '', name = ''] = path.split('/')
    if (query.get('api-version') !== '7.4') return { status: 400 }
    if (kind === 'secrets' && name === '') {
      const all = [...secrets.keys()].sort()
      const from = Number(query.get('from') ?? 0)
      const value = all.slice(from, from + 2).map((each) => ({ id: `${server.url}/secrets/${each}` }))
      const nextLink = from + 2 < all.length ? `${server.url}/secrets?api-version=7.4&from=${from + 2}` : null
      return { status: 200, body: { value, nextLink } }
    }
    if (kind === 'deletedsecrets') return { status: deleted.delete(name) ? 204 : 404 }
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
  const store = createKeyVaultSecrets({ vaultUrl: `${server.url}/`, identity: fixedIdentity(), http })
  return { secrets, store, [Symbol.asyncDispose]: () => server.close() }
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
})
