import type { AuditLog } from '../audit/audit-log'
import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import { parseOperationId, type OperationId, type StampId } from '../base/ids'
import type { ChecklistStep } from '../checklists/checklist'
import type { DataPlaces } from '../provisioning/data-places'
import type { TenantModels } from '../provisioning/tenant-models'
import type { SecretStore } from '../azure/secret-store'
import type { Places } from '../storage/places'
import type { ModelsChange } from '../tenants/edit-record'
import type { Isolation } from '../tenants/tenant-record'
import type { Tenants } from '../tenants/tenants'

/** What a move changes; what is absent stays. */
export interface MovingInput {
  readonly data?: Isolation['data'] | undefined
  readonly models?: ModelsChange | undefined
  /** Where what is made for the tenant is made. */
  readonly stampId?: StampId | undefined
}

export const movingName = 'moving'

export interface MovingDeps {
  readonly places: Places
  readonly dataPlaces: DataPlaces
  readonly models: TenantModels
  readonly secrets: Pick<SecretStore, 'list' | 'remove'>
  readonly tenants: Pick<Tenants, 'get' | 'setDataIsolation' | 'setModels'>
  readonly audit: AuditLog
  /** How long calls that began before the switch of models may go on, on the instance that learns of it last. */
  readonly drainMs: number
  readonly clock: Clock
}

export type Step = ChecklistStep<MovingInput>

export const bounds = { timeoutMs: 24 * 3_600_000, attemptsMax: 20 }

/** What a move makes is beside what is there, under names of its own. */
export function generationOf(operationId: string): OperationId {
  const id = parseOperationId(operationId)
  assert(id, 'a move runs under the id of an operation')
  return id
}
