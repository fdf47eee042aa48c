import type { TokenCredential } from '@azure/core-auth'
import type { Clock } from '../base/clock'
import { throwProblem } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import { parseTenantId } from '../base/ids'
import type { PlatformSecrets, SecretAges, SecretStore } from './secret-store'
import type { SmallAnswer, SmallHttp } from './small-http'

const API_VERSION = '7.4'
const SCOPE = 'https://vault.azure.net/.default'
/** The vault lists the secrets of all tenants together, so many in all: a tenant has a handful, most have none. */
const PAGE_NAMES = 25
const PAGES_MAX = 100
/** What is being deleted is busy for some seconds. Together 30 s, within which a request may wait. */
const BUSY_ATTEMPTS_MAX = 15
const BUSY_PAUSE_MS = 2_000

/**
 * Tenants' secrets in Key Vault, named `{tenant id with a hyphen}-{name}` (letters, digits and hyphens are all that it takes).
 * The platform's own are `platform-{name}`, which begins no tenant's id. Removing deletes and purges: until a secret is purged it can be recovered, so what cannot be purged is an error.
 * REST of Key Vault, `/secrets` and `/deletedsecrets`, api-version 7.4.
 */
export function createKeyVaultSecrets({
  vaultUrl,
  identity,
  http,
  clock,
}: {
  vaultUrl: string
  identity: TokenCredential
  http: SmallHttp
  clock: Clock
}): SecretStore & SecretAges & { readonly platform: PlatformSecrets } {
  const vault = vaultUrl.replace(/\/+$/, '')
  const send = async (method: 'GET' | 'PUT' | 'DELETE', url: string, body?: object) => {
    const token = await identity.getToken(SCOPE)
    const headers = { authorization: `Bearer ${token?.token ?? ''}`, 'content-type': 'application/json' }
    return http.send({ method, url, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  }
  const sendWhileBusy = async (...request: Parameters<typeof send>) => {
    for (let attempt = 1; ; attempt++) {
      const answer = await send(...request)
      if (answer.status !== BUSY) return answer
      if (attempt === BUSY_ATTEMPTS_MAX)
        throwProblem('storage_unavailable', 'Key Vault is still deleting a secret of this name. Please try again.')
      await clock.sleep(BUSY_PAUSE_MS)
    }
  }
  const urlOf = (kind: 'secrets' | 'deletedsecrets', name: string) =>
    `${vault}/${kind}/${name}?api-version=${API_VERSION}`

  const listed = async function* (kind: 'secrets' | 'deletedsecrets') {
    let url = `${vault}/${kind}?api-version=${API_VERSION}&maxresults=${PAGE_NAMES}`
    for (let page = 0; page < PAGES_MAX; page++) {
      const { body } = expect(await send('GET', url), [200])
      const { value = [], nextLink } = (body ?? {}) as { value?: ListedSecret[]; nextLink?: string | null }
      for (const { id, attributes } of value) yield { name: id.slice(id.lastIndexOf('/') + 1), attributes }
      if (!nextLink) return
      // The token goes along, so only to the vault's own address.
      if (!nextLink.startsWith(`${vault}/`)) throw new Error('Key Vault’s list goes on at another address')
      url = nextLink
    }
    // Names that were left out would be taken for gone, and their secrets kept after an offboarding.
    throw new Error(`Key Vault has more than ${PAGES_MAX * PAGE_NAMES} ${kind}, and no more can be listed`)
  }
  const namesIn = async (kind: 'secrets' | 'deletedsecrets', scope: TenantScope) => {
    const prefix = prefixOf(scope)
    const names: string[] = []
    for await (const { name } of listed(kind)) if (name.startsWith(prefix)) names.push(name.slice(prefix.length))
    return names
  }

  const put = async (name: string, value: string) => {
    expect(await sendWhileBusy('PUT', urlOf('secrets', name), { value }), [200])
  }
  const get = async (name: string) => {
    const answer = expect(await send('GET', urlOf('secrets', name)), [200, 404])
    const { value } = (answer.body ?? {}) as { value?: unknown }
    return answer.status === 200 && typeof value === 'string' ? value : undefined
  }

  return {
    platform: { put: (name, value) => put(OF_PLATFORM + name, value), get: (name) => get(OF_PLATFORM + name) },
    put: (scope, name, value) => put(prefixOf(scope) + name, value),
    get: (scope, name) => get(prefixOf(scope) + name),
    remove: async (scope, name) => {
      expect(await sendWhileBusy('DELETE', urlOf('secrets', prefixOf(scope) + name)), [200, 404])
      const purged = await sendWhileBusy('DELETE', urlOf('deletedsecrets', prefixOf(scope) + name))
      if (purged.status === 403) throwProblem('provisioning_refused', NO_PURGE)
      expect(purged, [204, 404])
    },
    list: (scope) => namesIn('secrets', scope),
    remains: async (scope) => [
      ...new Set([...(await namesIn('secrets', scope)), ...(await namesIn('deletedsecrets', scope))]),
    ],
    // One list of the vault has all tenants' secrets: it is read once, and not once for each of them.
    ages: async function* () {
      for await (const { name: whole, attributes } of listed('secrets')) {
        const [, tenant = '', name = ''] = OF_TENANT.exec(whole) ?? []
        const tenantId = parseTenantId(tenant.replace('-', '_'))
        const { updated } = attributes ?? {}
        if (tenantId) yield { tenantId, name, changedAt: updated === undefined ? undefined : updated * 1_000 }
      }
    },
  }
}

const OF_PLATFORM = 'platform-'
const BUSY = 409
const NO_PURGE =
  'Key Vault deleted the secret but refused to purge it (HTTP 403), so it can still be recovered. The platform’s identity needs ' +
  'the permission "purge" on secrets (the role Key Vault Secrets Officer has it), and the vault no purge protection.'

/** What a list shows of a secret; times are Unix seconds. */
interface ListedSecret {
  readonly id: string
  readonly attributes?: { readonly updated?: number }
}

/** What `prefixOf` puts in front, and the name. */
const OF_TENANT = /^(ten-[0-9a-z]{26})-(.+)$/

const prefixOf = ({ tenantId }: TenantScope) => `${tenantId.replace('_', '-')}-`

function expect(answer: SmallAnswer, statuses: readonly number[]): SmallAnswer {
  if (statuses.includes(answer.status)) return answer
  // Never the body: what was sent may be quoted in it.
  throw new Error(`Key Vault answered HTTP ${answer.status}`)
}
