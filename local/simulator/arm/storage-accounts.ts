import { z } from 'zod'
import {
  ArmError,
  endpointPath,
  IN_GROUP,
  resourceNotFound,
  type ArmAnswer,
  type ArmCall,
  type ArmEndpoint,
} from './arm-answer'
import type { ArmServerDeps, StorageUrls } from './arm'
import type { ArmStore } from './arm-store'
import { emptyStorage } from './empty-storage'
import { normalLocation, readArmBody } from './read-arm-body'
import { beginMaking } from './slow-change'
import { storageKey } from './storage-key'
import { provisioningState, type StoredStorageAccount } from './stored-resource'

const STORAGE = 'Microsoft.Storage'
const TYPE = `${STORAGE}/storageAccounts`
/** Source: Azure's naming rules. */
const NAME = /^[a-z0-9]{3,24}$/

const storageBody = z.looseObject({
  location: z.string().min(1),
  kind: z.enum(['StorageV2', 'BlobStorage', 'BlockBlobStorage', 'FileStorage', 'Storage']),
  sku: z.looseObject({ name: z.string().regex(/^(Standard|Premium)_(LRS|ZRS|GRS|RAGRS|GZRS|RAGZRS)$/) }),
  tags: z.record(z.string(), z.string()).default({}),
  properties: z.record(z.string(), z.unknown()).default({}),
})

type StorageDeps = Pick<ArmServerDeps, 'store' | 'config' | 'storage'>

/** `Microsoft.Storage/storageAccounts`, whose services are those of Azurite under the same name. */
export function storageAccountEndpoints(deps: StorageDeps): ArmEndpoint[] {
  const { store, storage } = deps
  return [
    {
      path: endpointPath(`${IN_GROUP}/${STORAGE}/storageAccounts/(?<name>[^/]+)`),
      type: TYPE,
      serve: {
        GET: ({ id }) => ({ status: 200, body: shown(find(store, id), storage) }),
        PUT: (call) => putStorage(deps, call),
        DELETE: async ({ id }) => {
          const account = store.get('storage', id)
          if (!account) return { status: 204 }
          store.remove(id)
          await emptyStorage(account.name, storage)
          return { status: 200 }
        },
      },
    },
    {
      path: endpointPath(`${IN_GROUP}/${STORAGE}/storageAccounts`),
      type: TYPE,
      serve: {
        GET: ({ id }) => {
          const isHere = (account: StoredStorageAccount) => account.id.toLowerCase().startsWith(`${id.toLowerCase()}/`)
          const value = store
            .list('storage')
            .filter(isHere)
            .map((account) => shown(account, storage))
          return { status: 200, body: { value } }
        },
      },
    },
    {
      path: endpointPath(`(?<account>${IN_GROUP}/${STORAGE}/storageAccounts/[^/]+)/listKeys`),
      type: TYPE,
      action: 'listKeys',
      serve: {
        POST: ({ params }) => {
          const { name, createdAt } = find(store, params['account'] ?? '')
          const creationTime = new Date(createdAt).toISOString()
          const key = { keyName: 'key1', value: storageKey(name), permissions: 'FULL', creationTime }
          return { status: 200, body: { keys: [key] } }
        },
      },
    },
  ]
}

function find(store: ArmStore, id: string): StoredStorageAccount {
  const account = store.get('storage', id)
  if (account) return account
  throw resourceNotFound(id)
}

/** 202 without a body for what is new, as the service does; then the resource itself is looked at. */
function putStorage({ store, config, storage }: StorageDeps, call: ArmCall): ArmAnswer {
  const { name = '' } = call.params
  if (!NAME.test(name)) {
    const text = `${name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.`
    throw new ArmError(400, 'AccountNameInvalid', text)
  }
  const body = readArmBody(storageBody, call.body)
  const before = store.get('storage', call.id)
  if (before?.phase.kind === 'making') {
    const text = `An operation is currently performing on this storage account that requires exclusive access.`
    throw new ArmError(409, 'StorageAccountOperationInProgress', text)
  }
  if (!before && store.list('storage').some((account) => account.name === name))
    throw new ArmError(409, 'StorageAccountAlreadyTaken', `The storage account named ${name} is already taken.`)
  const location = normalLocation(body.location)
  const { delayMs } = config()
  const change = before ? undefined : beginMaking(store, call, { delayMs, provider: STORAGE, location })
  const account: StoredStorageAccount = {
    kind: 'storage',
    id: before?.id ?? call.id,
    name,
    location: before?.location ?? location,
    accountKind: body.kind,
    sku: body.sku.name,
    tags: body.tags,
    properties: { ...before?.properties, ...body.properties },
    createdAt: before?.createdAt ?? call.now,
    phase: change?.phase ?? { kind: 'ready' },
  }
  store.put(account)
  if (change && delayMs > 0) return { status: 202, headers: change.headers }
  return { status: 200, body: shown(account, storage) }
}

function shown(account: StoredStorageAccount, urls: StorageUrls): object {
  const { id, name, location, accountKind, sku, tags, properties, phase, createdAt } = account
  return {
    id,
    name,
    type: TYPE,
    location,
    kind: accountKind,
    sku: { name: sku, tier: sku.split('_')[0] },
    tags,
    properties: {
      ...properties,
      provisioningState: provisioningState(phase),
      creationTime: new Date(createdAt).toISOString(),
      primaryLocation: location,
      statusOfPrimary: 'available',
      primaryEndpoints: {
        blob: `${urls.blob}/${name}/`,
        queue: `${urls.queue}/${name}/`,
        table: `${urls.table}/${name}/`,
      },
      ...(phase.kind === 'failed' ? { error: phase.failure } : {}),
    },
  }
}
