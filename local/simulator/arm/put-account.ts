import { z } from 'zod'
import { accountKeys } from './account-keys'
import { COGNITIVE, shownAccount } from './account-view'
import { ArmError, type ArmAnswer, type ArmCall } from './arm-answer'
import type { ArmDeps } from './arm-deps'
import type { ArmStore } from './arm-store'
import { normalLocation, readArmBody } from './read-arm-body'
import { beginMaking, madeAnswer } from './slow-change'
import type { DeletedAccount, StoredAccount } from './stored-resource'

/** Also the subdomain, and so part of a host's name. Source: Azure's naming rules. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}[a-zA-Z0-9]$/

const accountBody = z.looseObject({
  location: z.string().min(1),
  kind: z.enum(['OpenAI', 'AIServices']),
  sku: z.looseObject({ name: z.literal('S0') }),
  tags: z.record(z.string(), z.string()).default({}),
  properties: z
    .looseObject({
      customSubDomainName: z.string().optional(),
      publicNetworkAccess: z.enum(['Enabled', 'Disabled']).default('Enabled'),
      disableLocalAuth: z.boolean().default(false),
      restore: z.boolean().default(false),
    })
    .prefault({}),
})

/** Makes an account or changes one. Its name is its subdomain too, and is taken once in all subscriptions. */
export function putAccount({ store, config }: ArmDeps, call: ArmCall): ArmAnswer {
  const body = readArmBody(accountBody, call.body)
  const { name = '', subscription = '', group = '' } = call.params
  if (!NAME.test(name)) throw new ArmError(400, 'AccountNameInvalid', `'${name}' is not a valid name for an account.`)
  const location = normalLocation(body.location)
  const before = store.get('account', call.id)
  if (before) checkChange(before, { location, group })
  const deleted = store.deletedAccount(call.id)
  if (deleted && !body.properties.restore) throw softDeleted(call.id)
  const subdomain = body.properties.customSubDomainName
  if (!before && !deleted) checkNameIsFree(store, [name, subdomain ?? name])

  const change = beginMaking(store, call, { delayMs: config().delayMs, provider: COGNITIVE, location })
  if (deleted) return restore(store, deleted, { change, origin: call.origin })
  const account: StoredAccount = {
    kind: 'account',
    id: before?.id ?? call.id,
    name: before?.name ?? name,
    subscription,
    group,
    location,
    accountKind: body.kind,
    customSubDomainName: before?.customSubDomainName ?? subdomain,
    publicNetworkAccess: body.properties.publicNetworkAccess,
    disableLocalAuth: body.properties.disableLocalAuth,
    tags: body.tags,
    keys: before?.keys ?? accountKeys(call.id),
    createdAt: before?.createdAt ?? call.now,
    phase: before ? { kind: 'ready' } : change.phase,
  }
  store.put(account)
  return madeAnswer(before === undefined, shownAccount(account, call.origin), change)
}

function checkChange({ name, location, id, phase }: StoredAccount, wanted: { location: string; group: string }): void {
  if (phase.kind === 'making' || phase.kind === 'deleting') {
    const text = `Account ${id} in state ${phase.kind === 'making' ? 'Creating' : 'Deleting'}`
    throw new ArmError(409, 'AccountProvisioningStateInvalid', text)
  }
  if (location === wanted.location) return
  throw new ArmError(
    409,
    'InvalidResourceLocation',
    `The resource '${name}' already exists in location '${location}' in resource group '${wanted.group}'. A resource with the same name cannot be created in location '${wanted.location}'. Please select a new resource name.`,
  )
}

function checkNameIsFree(store: ArmStore, names: readonly string[]): void {
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  const isTaken = ({ name, customSubDomainName = name }: StoredAccount) =>
    wanted.has(name.toLowerCase()) || wanted.has(customSubDomainName.toLowerCase())
  const taken = [...store.list('account'), ...store.deleted.map(({ account }) => account)].find(isTaken)
  if (!taken) return
  const text = `The subdomain name '${taken.customSubDomainName ?? taken.name}' is not available as it's already used by a resource.`
  throw new ArmError(409, 'CustomDomainInUse', `Please pick a different name. ${text}`)
}

const softDeleted = (id: string) =>
  new ArmError(
    409,
    'FlagMustBeSetForRestore',
    `An existing resource with ID '${id}' has been soft-deleted. To restore the resource, you must specify 'restore' to be 'true' in the property. If you don't want to restore existing resource, please purge it first.`,
  )

function restore(
  store: ArmStore,
  { account, deployments }: DeletedAccount,
  { change, origin }: { change: ReturnType<typeof beginMaking>; origin: string },
): ArmAnswer {
  const restored = { ...account, phase: change.phase }
  store.forgetDeleted(account.id)
  for (const resource of [restored, ...deployments]) store.put(resource)
  return madeAnswer(true, shownAccount(restored, origin), change)
}
