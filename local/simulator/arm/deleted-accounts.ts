import { COGNITIVE } from './account-view'
import { ArmError, endpointPath, type ArmAnswer, type ArmCall, type ArmEndpoint } from './arm-answer'
import type { ArmDeps } from './arm-deps'
import type { ArmStore } from './arm-store'
import { normalLocation } from './read-arm-body'
import { beginDeleting } from './slow-change'
import type { DeletedAccount } from './stored-resource'

/** How long a deleted account is kept. Source: "Recover or purge deleted Azure AI services resources". */
const KEPT_MS = 48 * 3_600_000
const TYPE = `${COGNITIVE}/locations/resourceGroups/deletedAccounts`

/** Deleted accounts, which hold their name and their quota until they are purged. */
export function deletedAccountEndpoints({ store, config }: ArmDeps): ArmEndpoint[] {
  return [
    {
      path: endpointPath(
        `/subscriptions/(?<subscription>[^/]+)/providers/${COGNITIVE}/locations/(?<location>[^/]+)/resourceGroups/(?<group>[^/]+)/deletedAccounts/(?<name>[^/]+)`,
      ),
      type: TYPE,
      serve: {
        GET: (call) => {
          const deleted = find(store, call)
          if (deleted) return { status: 200, body: shown(deleted) }
          throw new ArmError(404, 'ResourceNotFound', `The deleted account '${call.params['name']}' was not found.`)
        },
        DELETE: (call) => purge(store, call, config().delayMs),
      },
    },
    {
      path: endpointPath(`/subscriptions/(?<subscription>[^/]+)/providers/${COGNITIVE}/deletedAccounts`),
      type: TYPE,
      serve: {
        GET: ({ params }) => {
          const isHere = ({ account }: DeletedAccount) =>
            account.subscription.toLowerCase() === params['subscription']?.toLowerCase()
          return { status: 200, body: { value: store.deleted.filter(isHere).map(shown) } }
        },
      },
    },
  ]
}

function find(store: ArmStore, { params }: ArmCall): DeletedAccount | undefined {
  const { subscription = '', location = '', group = '', name = '' } = params
  const id = `/subscriptions/${subscription}/resourceGroups/${group}/providers/${COGNITIVE}/accounts/${name}`
  const deleted = store.deletedAccount(id)
  return deleted?.account.location === normalLocation(location) ? deleted : undefined
}

function purge(store: ArmStore, call: ArmCall, delayMs: number): ArmAnswer {
  const deleted = find(store, call)
  if (!deleted) return { status: 204 }
  if (deleted.purgedAt === undefined) store.keepDeleted({ ...deleted, purgedAt: call.now + delayMs })
  const { location } = deleted.account
  return { status: 202, headers: beginDeleting(store, call, { delayMs, provider: COGNITIVE, location }).headers }
}

function shown({ account, deletedAt, purgedAt }: DeletedAccount): object {
  const { subscription, group, location, name, accountKind, tags } = account
  return {
    id: `/subscriptions/${subscription}/providers/${COGNITIVE}/locations/${location}/resourceGroups/${group}/deletedAccounts/${name}`,
    name,
    type: TYPE,
    location,
    kind: accountKind,
    tags,
    properties: {
      deletionDate: new Date(deletedAt).toISOString(),
      scheduledPurgeDate: new Date(deletedAt + KEPT_MS).toISOString(),
      ...(purgedAt === undefined ? {} : { provisioningState: 'Deleting' }),
    },
  }
}
