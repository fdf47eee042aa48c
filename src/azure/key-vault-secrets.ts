import type { TokenCredential } from '@azure/core-auth'
import type { TenantScope } from '../storage/tenant-scope'
import type { SecretStore } from './secret-store'
import type { SmallAnswer, SmallHttp } from './small-http'

const API_VERSION = '7.4'
const SCOPE = 'https://vault.azure.net/.default'
/** Of a list of names; a tenant has a handful. */
const PAGES_MAX = 100

/**
 * Tenants' secrets in Key Vault, named `{tenant id with a hyphen}-{name}` (letters, digits and hyphens are all that it takes).
 * Removing deletes and, where the vault lets us, purges: without the permission to purge the vault's own retention decides.
 * REST of Key Vault, `/secrets` and `/deletedsecrets`, api-version 7.4.
 */
export function createKeyVaultSecrets({
  vaultUrl,
  identity,
  http,
}: {
  vaultUrl: string
  identity: TokenCredential
  http: SmallHttp
}): SecretStore {
  const vault = vaultUrl.replace(/\/+$/, '')
  const send = async (method: 'GET' | 'PUT' | 'DELETE', url: string, body?: object) => {
    const token = await identity.getToken(SCOPE)
    const headers = { authorization: `Bearer ${token?.token ?? ''}`, 'content-type': 'application/json' }
    return http.send({ method, url, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  }
  const urlOf = (kind: 'secrets' | 'deletedsecrets', name: string) =>
    `${vault}/${kind}/${name}?api-version=${API_VERSION}`

  return {
    put: async (scope, name, value) => {
      expect(await send('PUT', urlOf('secrets', prefixOf(scope) + name), { value }), [200])
    },
    get: async (scope, name) => {
      const answer = expect(await send('GET', urlOf('secrets', prefixOf(scope) + name)), [200, 404])
      const { value } = (answer.body ?? {}) as { value?: unknown }
      return answer.status === 200 && typeof value === 'string' ? value : undefined
    },
    remove: async (scope, name) => {
      expect(await send('DELETE', urlOf('secrets', prefixOf(scope) + name)), [200, 404])
      expect(await send('DELETE', urlOf('deletedsecrets', prefixOf(scope) + name)), [204, 403, 404, 409])
    },
    list: async (scope) => {
      const names: string[] = []
      let url: string | undefined = `${vault}/secrets?api-version=${API_VERSION}&maxresults=25`
      for (let page = 0; url !== undefined && page < PAGES_MAX; page++) {
        const { body } = expect(await send('GET', url), [200])
        const { value = [], nextLink } = (body ?? {}) as { value?: { id: string }[]; nextLink?: string | null }
        const prefix = prefixOf(scope)
        for (const { id } of value) {
          const name = id.slice(id.lastIndexOf('/') + 1)
          if (name.startsWith(prefix)) names.push(name.slice(prefix.length))
        }
        // The token goes along, so only to the vault's own address.
        url = nextLink?.startsWith(`${vault}/`) ? nextLink : undefined
      }
      return names
    },
  }
}

const prefixOf = ({ tenantId }: TenantScope) => `${tenantId.replace('_', '-')}-`

function expect(answer: SmallAnswer, statuses: readonly number[]): SmallAnswer {
  if (statuses.includes(answer.status)) return answer
  // Never the body: what was sent may be quoted in it.
  throw new Error(`Key Vault answered HTTP ${answer.status}`)
}
