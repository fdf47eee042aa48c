import type { AuditLog } from '../audit/audit-log'
import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import { done, type Checklist, type ChecklistStep } from '../checklists/checklist'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantKeyring } from '../encryption/sealer'
import { KEYS_KNOWN_EVERYWHERE_MS } from '../encryption/tenant-keys'
import { TenantScope } from '../storage/tenant-scope'
import { FENCE_WAIT_MS, WRITE_MS_MAX } from '../storage/write-gate'

export const rotationName = 'data-key-rotation'
/** A rotation needs to be told nothing but whose key. */
export type RotationInput = Readonly<Record<string, never>>

export interface RotationDeps {
  readonly keyring: TenantKeyring
  readonly records: Pick<SealedRecords, 'reseal'>
  readonly audit: AuditLog
  readonly clock: Clock
}

type Step = ChecklistStep<RotationInput>
const bounds = { timeoutMs: 24 * 3_600_000, attemptsMax: 20 }
/** From when on nothing is sealed with the version before: every instance knows the new one, and slow writes have ended. */
const SEALED_ANEW_MS = KEYS_KNOWN_EVERYWHERE_MS + FENCE_WAIT_MS + WRITE_MS_MAX
/** Sealed anew in one go of the step; hosts end activities that run for many minutes. */
const RECORDS_AT_ONCE = 2_000

/**
 * Gives a tenant a new data key and seals everything with it; then the older versions are forgotten. Each rotation has a
 * version of its own and retires what is older, so rotations that overlap, or steps that are repeated late, lose nothing.
 */
export const rotationChecklist = (deps: RotationDeps): Checklist<RotationInput> => ({
  name: rotationName,
  onFailure: 'stop',
  steps: [addStep(deps), resealStep(deps), retireStep(deps)],
})

const addStep = ({ keyring, clock }: RotationDeps): Step => ({
  id: 'add-version',
  ...bounds,
  do: async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    if ((await keyring.versions(scope)).length === 0)
      return { kind: 'failed', problem: new Problem('conflict', 'The tenant has no data key (any more).') }
    await keyring.addVersion(scope, operationId)
    const made = await madeBy(keyring, scope, operationId)
    const waitMs = (made?.madeAt ?? clock.now()) + SEALED_ANEW_MS - clock.now()
    return waitMs > 0 ? { kind: 'not-yet', againAfterMs: waitMs } : done({ version: String(made?.version) })
  },
})

const resealStep = ({ keyring, records }: RotationDeps): Step => ({
  id: 'reseal',
  ...bounds,
  do: async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const made = await madeBy(keyring, scope, operationId)
    // A later rotation has done this one's work, and retired its version.
    if (!made) return done()
    const { isDone } = await records.reseal(scope, { olderThan: made.version, recordsMax: RECORDS_AT_ONCE })
    return isDone ? done() : { kind: 'not-yet', againAfterMs: 0 }
  },
})

const retireStep = ({ keyring, audit }: RotationDeps): Step => ({
  id: 'retire-older',
  ...bounds,
  do: async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const made = await madeBy(keyring, scope, operationId)
    if (made) await keyring.retireOlder(scope, made.version)
    await audit.append(scope, {
      actor: { kind: 'orchestration', id: operationId },
      action: 'encryption.rotate',
      target: tenantId,
      outcome: 'done',
      requestId: operationId,
    })
    return done()
  },
})

const madeBy = async (keyring: TenantKeyring, scope: TenantScope, operationId: string) =>
  (await keyring.versions(scope)).find(({ madeFor }) => madeFor === operationId)
