import { findDirectory, findPrincipal } from '../entra/directories'
import { accountKeys } from './account-keys'
import { ACCOUNT_TYPE } from './account-view'
import type { ArmConfig } from './arm-config'
import type { ArmStore } from './arm-store'
import { ConfigError } from '../config-error'
import { createHash } from 'node:crypto'
import { findRole } from './roles'
import type { StoredAccount, StoredDeployment, StoredRole } from './stored-resource'

/** Puts in what there is from the start. Throws a ConfigError for a role or a principal that there is not. */
export function seedStore(store: ArmStore, config: ArmConfig): void {
  store.clear()
  for (const [name, seed] of Object.entries(config.accounts)) {
    const account = seedAccount(name, seed)
    store.put(account)
    for (const [deployment, given] of Object.entries(seed.deployments))
      store.put(seedDeployment(account, deployment, given))
  }
  for (const [index, seed] of config.roleAssignments.entries()) store.put(seedRole(seed, index))
}

type Seed = ArmConfig['accounts'][string]
/** Before everything that is made. */
const SEEDED = { createdAt: Date.UTC(2026, 0, 1), phase: { kind: 'ready' } } as const

function seedAccount(name: string, { subscription, resourceGroup, location, disableLocalAuth }: Seed): StoredAccount {
  const id = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/${ACCOUNT_TYPE}/${name}`
  return {
    kind: 'account',
    ...SEEDED,
    id,
    name,
    subscription,
    group: resourceGroup,
    location,
    accountKind: 'OpenAI',
    customSubDomainName: name,
    publicNetworkAccess: 'Enabled',
    disableLocalAuth,
    tags: {},
    keys: accountKeys(id),
  }
}

function seedDeployment(account: StoredAccount, name: string, seed: Seed['deployments'][string]): StoredDeployment {
  const { model, version, sku, capacity } = seed
  return {
    kind: 'deployment',
    ...SEEDED,
    id: `${account.id}/deployments/${name}`,
    name,
    accountId: account.id,
    sku: { name: sku, capacity },
    model: { format: 'OpenAI', name: model, version },
    versionUpgradeOption: 'OnceNewDefaultVersionAvailable',
    raiPolicyName: 'Microsoft.DefaultV2',
    spilloverDeploymentName: undefined,
    tags: {},
  }
}

function seedRole({ scope, principal, role }: ArmConfig['roleAssignments'][number], index: number): StoredRole {
  const field = `arm.roleAssignments.${index}`
  const [directoryName = '', name = ''] = principal.split('/')
  const directory = findDirectory(directoryName)
  const found = directory && findPrincipal(directory, name)
  if (!found) throw new ConfigError([`${field}.principal: expected a directory and one of its users or applications`])
  const given = findRole(role)
  if (!given) throw new ConfigError([`${field}.role: expected the name or the id of a built-in role`])
  const assignment = guidOf(`${scope} ${found.objectId} ${given.id}`.toLowerCase())
  return {
    kind: 'role',
    ...SEEDED,
    id: `${scope}/providers/Microsoft.Authorization/roleAssignments/${assignment}`,
    name: assignment,
    scope,
    principalId: found.objectId,
    principalType: 'clientId' in found ? 'ServicePrincipal' : 'User',
    roleId: given.id,
  }
}

/** The same at each start. */
function guidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
