import { keyStorage } from './access/key-store'
import { directoryStorage } from './access/directories'
import { memberStorage } from './access/members'
import { alertStorage } from './alerts/alerts'
import { auditStorage } from './audit/chain-rows'
import { batchNeeds } from './batches/assemble-batches'
import { billingStorage } from './billing/billing-rows'
import { budgetStorage } from './budgets/create-budget-keeper'
import { capacityStorage } from './capacity/capacity-store'
import { dataKeyStorage } from './encryption/tenant-keys'
import { secretStorage } from './encryption/wrapped-secrets'
import { fileStorage } from './files/assemble-files'
import { hostingNeeds } from './hosting/assemble-hosting'
import { housekeepingStorage } from './housekeeping/housekeeping-store'
import { idempotencyStorage } from './http/idempotency'
import { keyRotationStorage } from './key-rotation/rotated-accounts'
import { limitStorage } from './limits/create-limiter'
import { neighbourStorage } from './neighbours/neighbour-store'
import { outboxStorage } from './notifications/outbox-rows'
import { signingStorage } from './offboarding/certificate'
import { offboardingStorage } from './offboarding/offboardings'
import { reconciliationStorage } from './reconciliation/reconciliation-store'
import { recoveryStorage } from './recovery/replica-state'
import { registrationStorage } from './onboarding/registration-settings'
import { responseStorage } from './responses/assemble-responses'
import { backendStorage } from './routing/backends'
import { slaStorage } from './sla/sla-store'
import { sharedModelStorage } from './shared-models/shared-models'
import { stampStorage } from './stamps/stamps'
import { placeStorage } from './storage/places'
import { tenantStorage } from './tenants/tenants'
import { tuningNeeds } from './tuning/assemble-tuning'
import { usageStorage } from './usage/run-roll-up'

interface StorageNeeds {
  readonly tables?: readonly string[]
  readonly containers?: readonly string[]
  readonly queues?: readonly string[]
}

/** What each slice keeps. Offboarding has to know what to do about each (test/offboarding/registry.test.ts). */
export const storageNeeds: readonly StorageNeeds[] = [
  tenantStorage,
  keyStorage,
  directoryStorage,
  memberStorage,
  backendStorage,
  stampStorage,
  idempotencyStorage,
  auditStorage,
  limitStorage,
  budgetStorage,
  billingStorage,
  usageStorage,
  alertStorage,
  capacityStorage,
  neighbourStorage,
  outboxStorage,
  registrationStorage,
  dataKeyStorage,
  secretStorage,
  placeStorage,
  fileStorage,
  batchNeeds,
  responseStorage,
  tuningNeeds,
  sharedModelStorage,
  hostingNeeds,
  offboardingStorage,
  signingStorage,
  recoveryStorage,
  slaStorage,
  reconciliationStorage,
  keyRotationStorage,
  housekeepingStorage,
]

export const allStorageNeeds = {
  tables: storageNeeds.flatMap(({ tables }) => tables ?? []),
  containers: storageNeeds.flatMap(({ containers }) => containers ?? []),
  queues: storageNeeds.flatMap(({ queues }) => queues ?? []),
}
