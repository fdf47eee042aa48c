import { listedKeys, takenKeys } from './arm/account-keys'
import { AccountPlanes } from './arm/account-planes'
import { createArm, type Arm, type StorageUrls } from './arm/arm'
import { ROOT_ACCOUNT } from './arm/arm-config'
import { ArmFaults } from './arm/arm-faults'
import { ArmStore } from './arm/arm-store'
import { configuredDeployments } from './arm/configured-deployments'
import { seedStore } from './arm/seed-store'
import type { StoredAccount } from './arm/stored-resource'
import { directories } from './entra/directories'
import { createEntra, type Entra } from './entra/entra'
import { createMessages, type Messages } from './messages/messages'
import type { Resource } from './resource'
import type { SavedState, StateFile } from './state-file'

/** All that is simulated, put together: Entra, Resource Manager, and the data planes of accounts. */
export interface World {
  readonly resource: Resource
  readonly entra: Entra
  /** Mail, events and webhooks. */
  readonly messages: Messages
  readonly arm: Arm
  readonly store: ArmStore
  readonly planes: AccountPlanes
  /** The keys that its data plane takes at the moment. */
  readonly takenKeysOf: (account: StoredAccount) => readonly string[]
  /** As `takenKeysOf`, of the account at the root: those of the configuration itself until one is regenerated. */
  readonly rootKeys: () => readonly string[]
  /** Does everything that is due: of training, of Resource Manager, and of what Azure takes down by itself. */
  settle(): void
  /** Makes everything follow a patch of the configuration. */
  configChanged(patch: unknown): Promise<void>
  /** Back to how it was at the first start. */
  reset(): Promise<void>
  close(): void
}

/** Where Azurite is unless told otherwise. */
const AZURITE: StorageUrls = {
  blob: 'http://127.0.0.1:10000',
  queue: 'http://127.0.0.1:10001',
  table: 'http://127.0.0.1:10002',
}

/** With a state file the world is as the run before left it; what is configured for the start is put in at the first. */
export async function createWorld(
  resource: Resource,
  { storage = {}, stateFile }: { storage?: Partial<StorageUrls>; stateFile?: StateFile | undefined } = {},
): Promise<World> {
  const saved = stateFile?.read()
  const entra = createEntra(saved?.entra)
  const state = (): SavedState => ({
    entra: entra.signingKey,
    arm: store.snapshot(),
    models: resource.stores.savedModels(),
  })
  resource.stores.modelsChanged = () => stateFile?.changed(state)
  let isRootKnown = false
  let knownRoot: StoredAccount | undefined
  const store = new ArmStore(
    () => {
      // Looked up by its name again after any change; calls in between pay for nothing.
      isRootKnown = false
      stateFile?.changed(state)
    },
    (account) => resource.stores.forget(account),
  )
  const faults = new ArmFaults()
  const messages = createMessages(entra)
  const planes = new AccountPlanes(resource, store)
  const config = () => resource.config.arm
  const madeWith = ({ name, keys }: StoredAccount): readonly string[] =>
    name.toLowerCase() === ROOT_ACCOUNT ? resource.config.authentication.keys : keys
  const keysOf = (account: StoredAccount): readonly [string, string] => {
    const [first = '', second = first] = madeWith(account)
    return listedKeys([first, second], account)
  }
  const takenKeysOf = (account: StoredAccount) =>
    takenKeys(madeWith(account), account, { now: Date.now(), delayMs: config().keyDelayMs })
  const rootKeys = () => {
    if (!isRootKnown) knownRoot = store.account(ROOT_ACCOUNT)
    isRootKnown = true
    return knownRoot?.regenerated ? takenKeysOf(knownRoot) : resource.config.authentication.keys
  }
  const arm = createArm({
    store,
    config,
    entra,
    faults,
    keysOf,
    storage: { ...AZURITE, ...storage },
    configured: (accountId) => configuredDeployments(resource.config, store, accountId),
    served: () => resource.ledger.all(),
    tunedModel: (account, name) => resource.stores.of({ name: account }).models.get(name),
    hasPrincipal,
    deploymentChanged: (id) => planes.changed(id),
  })
  const start = async (from?: SavedState) => {
    if (from) {
      store.restore(from.arm)
      resource.stores.restoreModels(from.models ?? [])
    } else seedStore(store, config())
    faults.arm(config().faults)
    await planes.refresh()
  }
  await start(saved)
  return {
    resource,
    entra,
    messages,
    arm,
    store,
    planes,
    takenKeysOf,
    rootKeys,
    settle: () => {
      resource.trainer.settle()
      store.settle(Date.now())
      planes.sweep()
    },
    configChanged: async (patch) => {
      if (namesFaults(patch)) faults.arm(config().faults)
      planes.hosting.clock.speed = resource.config.hosting.speed
      await planes.refresh()
    },
    reset: async () => {
      await resource.reset()
      messages.inbox.clear()
      planes.hosting.clear(resource.config.hosting.speed)
      await start()
    },
    close: () => {
      resource.close()
      stateFile?.flush()
    },
  }
}

function hasPrincipal(directoryId: string, objectId: string): boolean {
  const directory = directories.find(({ id }) => id === directoryId)
  const principals = directory ? [...directory.users, ...directory.applications] : []
  return principals.some((principal) => principal.objectId === objectId.toLowerCase())
}

/** Faults are armed anew only when a patch speaks of them. */
function namesFaults(patch: unknown): boolean {
  const { arm } = (patch ?? {}) as { arm?: unknown }
  return typeof arm === 'object' && arm !== null && 'faults' in arm
}
