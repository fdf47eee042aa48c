import type { Alerts } from '../alerts/alerts'
import type { AuditLog } from '../audit/audit-log'
import type { Arm } from '../azure/arm'
import type { PlatformSecrets } from '../azure/secret-store'
import type { SmallHttp } from '../azure/small-http'
import type { Clock } from '../base/clock'
import type { IdMaker } from '../base/ids'
import type { Log } from '../base/log'
import type { Backends } from '../routing/backends'
import type { Stamps } from '../stamps/stamps'
import { createAzureKeys } from './azure-keys'
import { keyRotationChecklist } from './key-rotation-checklist'
import { createKeyRotations } from './key-rotations'
import { createRotateDue } from './rotate-due'
import type { RotatedAccounts } from './rotated-accounts'

export interface KeyRotationParts {
  readonly accounts: RotatedAccounts
  readonly arm: Arm
  readonly http: SmallHttp
  readonly secrets: PlatformSecrets
  readonly backends: Backends
  readonly stamps: Stamps
  /** The keys that settings hold. */
  readonly settings: Readonly<Record<string, string>>
  readonly audit: AuditLog
  readonly alerts: Alerts
  readonly ids: IdMaker
  readonly clock: Clock
  readonly log: Log
}

export const assembleKeyRotation = (parts: KeyRotationParts) => ({
  checklist: keyRotationChecklist({ ...parts, azure: createAzureKeys(parts) }),
  rotations: createKeyRotations(parts),
  rotateDue: createRotateDue(parts),
})

/** Addresses of accounts whose key is in the vault. */
export const rotatedAddresses = async (accounts: Pick<RotatedAccounts, 'list'>): Promise<ReadonlySet<string>> =>
  new Set((await accounts.list()).flatMap(({ address, adoptedAt }) => (adoptedAt === undefined ? [] : address)))
