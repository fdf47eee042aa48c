import type { SecretStore } from '../azure/secret-store'
import { Problem } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import { SECRETS_MAX } from '../tenants/secret-input'
import { pageOf } from './page-of'
import { noContent, notFound, ok } from './plain-request'

/** What the endpoints of operators and of tenants do alike with the credentials that a tenant hands over. */
export const tenantSecrets = (secrets: SecretStore) => ({
  list: async (scope: TenantScope, query: { after?: string | undefined; limit: number }) => {
    const names = (await secrets.list(scope)).toSorted()
    const { shown, next } = pageOf(names, (name) => name, query)
    return ok({ secrets: shown.map((name) => ({ name })), next })
  },
  put: async (scope: TenantScope, name: string, value: string) => {
    const names = await secrets.list(scope)
    if (!names.includes(name) && names.length >= SECRETS_MAX)
      return new Problem('conflict', `A tenant has at most ${SECRETS_MAX} secrets. Delete one first.`)
    await secrets.put(scope, name, value)
    return noContent
  },
  remove: async (scope: TenantScope, name: string) => {
    // One whose removal broke off half-way is no secret any more, but can still be removed.
    if (!(await secrets.remains(scope)).includes(name)) return notFound
    await secrets.remove(scope, name)
    return noContent
  },
})
