import type { ArmFailure } from './arm-answer'
import type { RegeneratedKey } from './account-keys'
import type { DeploymentSku } from './arm-config'

/** Where a resource is between being asked for and being gone. Times are Unix milliseconds, so that a restart loses none. */
export type Phase =
  | {
      readonly kind: 'making'
      readonly until: number
      readonly failure?: ArmFailure | undefined
      /** It was there already and works on while it is changed. */
      readonly serving?: boolean
    }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly failure: ArmFailure }
  | { readonly kind: 'deleting'; readonly until: number }

interface Common {
  readonly id: string
  readonly name: string
  readonly createdAt: number
  readonly phase: Phase
}

export interface StoredAccount extends Common {
  readonly kind: 'account'
  readonly subscription: string
  readonly group: string
  readonly location: string
  readonly accountKind: string
  readonly customSubDomainName: string | undefined
  readonly publicNetworkAccess: string
  readonly disableLocalAuth: boolean
  readonly tags: Readonly<Record<string, string>>
  /** Those it was made with. */
  readonly keys: readonly [string, string]
  /** At most one for each of the two. */
  readonly regenerated?: readonly RegeneratedKey[]
}

export interface StoredDeployment extends Common {
  readonly kind: 'deployment'
  readonly accountId: string
  readonly sku: { readonly name: DeploymentSku; readonly capacity: number }
  readonly model: {
    readonly format: string
    readonly name: string
    readonly version: string
    /** The account that a tuned model was trained in, where that is another one. */
    readonly source?: string
  }
  readonly versionUpgradeOption: string
  readonly raiPolicyName: string
  readonly spilloverDeploymentName: string | undefined
  readonly tags: Readonly<Record<string, string>>
}

export interface StoredStorageAccount extends Common {
  readonly kind: 'storage'
  readonly location: string
  readonly accountKind: string
  readonly sku: string
  readonly tags: Readonly<Record<string, string>>
  /** What was asked for, shown as it is. */
  readonly properties: Readonly<Record<string, unknown>>
}

export interface StoredRole extends Common {
  readonly kind: 'role'
  readonly scope: string
  readonly principalId: string
  readonly principalType: string
  readonly roleId: string
}

export type StoredResource = StoredAccount | StoredDeployment | StoredStorageAccount | StoredRole

/** An account whose name, and whose deployments' quota, are kept until it is purged. */
export interface DeletedAccount {
  readonly account: StoredAccount
  readonly deployments: readonly StoredDeployment[]
  readonly deletedAt: number
  /** Set once it is being purged. */
  readonly purgedAt?: number
}

/** The phase as it is at a time: what was begun ends by itself. */
export function phaseAt(phase: Phase, now: number): Phase {
  if (phase.kind !== 'making' || phase.until > now) return phase
  return phase.failure ? { kind: 'failed', failure: phase.failure } : { kind: 'ready' }
}

const states = { making: 'Creating', ready: 'Succeeded', failed: 'Failed', deleting: 'Deleting' } as const

/** ARM's word for a phase. */
export const provisioningState = (phase: Phase): string => states[phase.kind]
