import { accountAddress } from '../azure/account-address'
import type { Arm } from '../azure/arm'
import type { TenantId } from '../base/ids'
import type { Backend } from '../routing/backend'

/** An account of Azure OpenAI as far as its metrics go: which of its deployments the platform calls. */
export interface ModelAccount {
  /** Resource id in lower case. */
  readonly accountId: string
  /** By name in lower case, with whose it is alone, if it is. */
  readonly deployments: ReadonlyMap<string, TenantId | undefined>
}

export type Placed =
  | { readonly kind: 'account'; readonly accountId: string }
  /** Nobody has said which resource answers at its address. */
  | { readonly kind: 'no-resource-id' }
  /** A tenant's own account in its own directory, where the platform may call models and nothing else. */
  | { readonly kind: 'other-directory' }
  /** An OpenAI-compatible server: there is nobody to ask. */
  | { readonly kind: 'no-azure' }

const COGNITIVE_API_VERSION = '2024-10-01'
/**
 * Which account a backend is in: by its own resource id where the platform made it, otherwise by its address, where that is one of
 * an account that some stamp names. Pure.
 */
export function placeBackend(
  { api, directoryId, resourceId, endpoint }: Backend,
  accountAt: ReadonlyMap<string, string>,
): Placed {
  if (api.kind !== 'azure-openai') return { kind: 'no-azure' }
  if (directoryId !== undefined) return { kind: 'other-directory' }
  const accountId = resourceId === undefined ? accountAt.get(accountAddress(endpoint)) : accountOf(resourceId)
  return accountId === undefined ? { kind: 'no-resource-id' } : { kind: 'account', accountId }
}

/** `…/accounts/a/deployments/d` → `…/accounts/a`, in lower case. */
function accountOf(resourceId: string): string | undefined {
  return /^(\/.+\/accounts\/[^/]+)(\/|$)/.exec(resourceId.toLowerCase())?.[1]
}

/**
 * The addresses of accounts, from Resource Manager. One that does not answer has none this time: its backends count as without a
 * resource until it does.
 */
export async function addressesOf(arm: Pick<Arm, 'get'>, accountIds: Iterable<string>): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const accountId of new Set([...accountIds].map((id) => id.toLowerCase()))) {
    const outcome = await arm.get(accountId, COGNITIVE_API_VERSION)
    if (outcome.kind !== 'ready') continue
    const { endpoint, endpoints } = outcome.resource.properties
    const others = typeof endpoints === 'object' && endpoints !== null ? Object.values(endpoints) : []
    for (const each of [endpoint, ...others]) if (typeof each === 'string') found.set(accountAddress(each), accountId)
  }
  return found
}
