import { ROOT_ACCOUNT } from './arm-config'
import { provisioningState, type StoredAccount } from './stored-resource'

export const COGNITIVE = 'Microsoft.CognitiveServices'
export const ACCOUNT_TYPE = `${COGNITIVE}/accounts`

/** As ARM shows it; `origin` is where this caller reaches the simulator. */
export function shownAccount(account: StoredAccount, origin: string): object {
  const { id, name, location, tags, accountKind, phase, createdAt } = account
  return {
    id,
    name,
    type: ACCOUNT_TYPE,
    location,
    kind: accountKind,
    sku: { name: 'S0' },
    tags,
    properties: {
      endpoint: endpointOf(origin, name),
      // Azure names every address of an account; that of one is also at the root.
      ...(name.toLowerCase() === ROOT_ACCOUNT
        ? { endpoints: { 'OpenAI Language Model Instance API': `${origin}/` } }
        : {}),
      provisioningState: provisioningState(phase),
      ...(account.customSubDomainName === undefined ? {} : { customSubDomainName: account.customSubDomainName }),
      publicNetworkAccess: account.publicNetworkAccess,
      disableLocalAuth: account.disableLocalAuth,
      dateCreated: new Date(createdAt).toISOString(),
      ...(phase.kind === 'failed' ? { error: phase.failure } : {}),
    },
  }
}

/** Where the data plane of an account is, with the slash that Azure writes too. */
export const endpointOf = (origin: string, name: string) => `${origin}/accounts/${name}/`
