import type { TunedModel } from '../fine-tuning/tuned-model'
import type { ArmConfig } from './arm-config'
import type { ArmStore } from './arm-store'
import type { StoredAccount, StoredDeployment } from './stored-resource'

/** What the endpoints of ARM work with. */
export interface ArmDeps {
  readonly store: ArmStore
  /** As it is in force. */
  readonly config: () => ArmConfig
  /** Both keys of an account's data plane. */
  readonly keysOf: (account: StoredAccount) => readonly [string, string]
  /** Deployments that an account has by the simulator's configuration, which were not made through ARM. */
  readonly configured: (accountId: string) => readonly StoredDeployment[]
  /** A model that an account has trained, or a checkpoint. */
  readonly tunedModel: (account: string, name: string) => TunedModel | undefined
  /** Whether a principal of a directory exists. */
  readonly hasPrincipal: (directoryId: string, objectId: string) => boolean
  /** Makes the data plane follow a deployment that was made, changed or removed. */
  readonly deploymentChanged: (id: string) => Promise<void>
}
