import { findDirectory } from '../entra/directories'
import { ArmError, endpointPath, type ArmEndpoint } from './arm-answer'
import type { ArmConfig } from './arm-config'
import type { ArmDeps } from './arm-deps'

export interface Subscription {
  readonly id: string
  readonly directoryId: string
}

/** The subscription of a path, whose resource group exists too if there is one. Throws ARM's 404 otherwise. */
export function subscriptionIn({ subscriptions }: ArmConfig, path: string): Subscription {
  const [, id = '', group] = /^\/subscriptions\/([^/]+)(?:\/resourceGroups\/([^/]+))?/i.exec(path) ?? []
  const known = subscriptions[id.toLowerCase()]
  const directoryId = directoryOf({ subscriptions }, id)
  if (!known || directoryId === undefined)
    throw new ArmError(404, 'SubscriptionNotFound', `The subscription '${id}' could not be found.`)
  const isThere =
    group === undefined || known.resourceGroups?.some((each) => each.toLowerCase() === group.toLowerCase()) !== false
  if (!isThere) throw new ArmError(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`)
  return { id, directoryId }
}

/** Undefined for a subscription that is not known. */
export function directoryOf({ subscriptions }: Pick<ArmConfig, 'subscriptions'>, subscription: string) {
  const known = subscriptions[subscription.toLowerCase()]
  return known && findDirectory(known.directory)?.id
}

/** Resource groups are there by configuration; they can only be looked at. */
export function resourceGroupEndpoints({ store }: ArmDeps): ArmEndpoint[] {
  return [
    {
      path: endpointPath('/subscriptions/(?<subscription>[^/]+)/resourceGroups/(?<group>[^/]+)'),
      type: 'Microsoft.Resources/subscriptions/resourceGroups',
      serve: {
        GET: ({ id, params: { group } }) => {
          const first = store
            .list('account')
            .find((account) => account.id.toLowerCase().startsWith(`${id.toLowerCase()}/`))
          const location = first?.location ?? 'swedencentral'
          const properties = { provisioningState: 'Succeeded' }
          return {
            status: 200,
            body: { id, name: group, type: 'Microsoft.Resources/resourceGroups', location, properties },
          }
        },
      },
    },
  ]
}
