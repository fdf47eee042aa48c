import { keyNames, regenerateKey } from './account-keys'
import { ACCOUNT_TYPE, COGNITIVE, shownAccount } from './account-view'
import {
  ArmError,
  endpointPath,
  IN_GROUP,
  resourceNotFound,
  type ArmAnswer,
  type ArmCall,
  type ArmEndpoint,
} from './arm-answer'
import type { ArmDeps } from './arm-deps'
import type { ArmStore } from './arm-store'
import { putAccount } from './put-account'
import { beginDeleting } from './slow-change'
import type { StoredAccount } from './stored-resource'

/** `Microsoft.CognitiveServices/accounts`: made, looked at, listed, deleted, and their keys. */
export function accountEndpoints(deps: ArmDeps): ArmEndpoint[] {
  const { store } = deps
  const list = (call: ArmCall) => ({ status: 200, body: { value: listed(store, call) } })
  return [
    {
      path: endpointPath(`${IN_GROUP}/${COGNITIVE}/accounts/(?<name>[^/]+)`),
      type: ACCOUNT_TYPE,
      serve: {
        GET: ({ id, origin }) => ({ status: 200, body: shownAccount(findAccount(store, id), origin) }),
        PUT: (call) => putAccount(deps, call),
        DELETE: (call) => deleteAccount(deps, call),
      },
    },
    { path: endpointPath(`${IN_GROUP}/${COGNITIVE}/accounts`), type: ACCOUNT_TYPE, serve: { GET: list } },
    {
      path: endpointPath(`/subscriptions/(?<subscription>[^/]+)/providers/${COGNITIVE}/accounts`),
      type: ACCOUNT_TYPE,
      serve: { GET: list },
    },
    {
      path: endpointPath(`(?<account>${IN_GROUP}/${COGNITIVE}/accounts/[^/]+)/listKeys`),
      type: ACCOUNT_TYPE,
      action: 'listKeys',
      serve: { POST: ({ params }) => listKeys(deps, findAccount(store, params['account'] ?? '')) },
    },
    {
      path: endpointPath(`(?<account>${IN_GROUP}/${COGNITIVE}/accounts/[^/]+)/regenerateKey`),
      type: ACCOUNT_TYPE,
      action: 'regenerateKey',
      serve: { POST: (call) => regenerate(deps, call) },
    },
  ]
}

export function findAccount(store: ArmStore, id: string): StoredAccount {
  const account = store.get('account', id)
  if (account) return account
  throw resourceNotFound(id)
}

/** Of one resource group, or of the whole subscription. */
function listed(store: ArmStore, { params: { subscription = '', group }, origin }: ArmCall): object[] {
  const isAsked = (account: StoredAccount) =>
    account.subscription.toLowerCase() === subscription.toLowerCase() &&
    (group === undefined || account.group.toLowerCase() === group.toLowerCase())
  return store
    .list('account')
    .filter(isAsked)
    .map((account) => shownAccount(account, origin))
}

function listKeys({ keysOf }: ArmDeps, account: StoredAccount): ArmAnswer {
  if (account.disableLocalAuth)
    throw new ArmError(400, 'BadRequest', 'Failed to list key. disableLocalAuth is set to be true')
  const [key1, key2] = keysOf(account)
  return { status: 200, body: { key1, key2 } }
}

/** Answers with both keys; the data plane follows after `keyDelayMs`. */
function regenerate(deps: ArmDeps, { params, body, now }: ArmCall): ArmAnswer {
  const account = findAccount(deps.store, params['account'] ?? '')
  if (account.disableLocalAuth)
    throw new ArmError(400, 'BadRequest', 'Failed to regenerate key. disableLocalAuth is set to be true')
  const name = keyNames.find((each) => each === body['keyName'])
  if (!name) throw new ArmError(400, 'InvalidApiSetId', "The key name must be 'Key1' or 'Key2'.")
  const changed = regenerateKey(account, { name, listed: deps.keysOf(account), now })
  deps.store.put(changed)
  return listKeys(deps, changed)
}

/** The name and the quota stay taken until it is purged. Its deployments go with it. */
function deleteAccount({ store, config }: ArmDeps, call: ArmCall): ArmAnswer {
  const account = store.get('account', call.id)
  if (!account) return { status: 204 }
  const { delayMs } = config()
  const { phase, headers } = beginDeleting(store, call, { delayMs, provider: COGNITIVE, location: account.location })
  store.put({ ...account, phase })
  return { status: 202, headers }
}
