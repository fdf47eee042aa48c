import type { AuditLog } from '../audit/audit-log'
import type { Clock } from '../base/clock'
import { done, type Checklist, type ChecklistStep } from '../checklists/checklist'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantKeyring } from '../encryption/sealer'
import { TenantScope } from '../storage/tenant-scope'

export const rotationName = 'data-key-rotation'
/** A rotation needs to be told nothing but whose key. */
export type RotationInput = Readonly<Record<string, never>>

export interface RotationDeps {
  readonly keyring: TenantKeyring
  readonly records: SealedRecords
  readonly audit: AuditLog
  readonly clock: Clock
  /** How long other instances may still seal with the version before. */
  readonly graceMs: number
}

type Step = ChecklistStep<RotationInput>
const bounds = { timeoutMs: 24 * 3_600_000, attemptsMax: 20 }

/** Gives a tenant a new data key and seals everything with it; then the older versions are forgotten. */
export const rotationChecklist = (deps: RotationDeps): Checklist<RotationInput> => ({
  name: rotationName,
  onFailure: 'stop',
  steps: [addStep(deps), resealStep(deps), retireStep(deps)],
})

const addStep = ({ keyring, clock, graceMs }: RotationDeps): Step => ({
  id: 'add-version',
  ...bounds,
  do: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const versions = await keyring.versions(scope)
    // More than one is a rotation that has begun: this attempt, or an earlier one that it finishes.
    if (versions.length < 2) await keyring.addVersion(scope)
    const newest = (await keyring.versions(scope)).at(-1)
    const waitMs = (newest?.madeAt ?? 0) + graceMs - clock.now()
    return waitMs > 0 ? { kind: 'not-yet', againAfterMs: waitMs } : done({ version: String(newest?.version ?? 0) })
  },
})

const resealStep = ({ records }: RotationDeps): Step => ({
  id: 'reseal',
  ...bounds,
  do: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    let resealed = 0
    for await (const id of records.ids(scope, '')) {
      const found = await records.get<unknown>(scope, id)
      if (!found) continue
      // Whoever was faster has sealed it with the new version too.
      const result = await records.replace(scope, id, found.value, found.etag)
      if (result.kind === 'written') resealed++
    }
    return done({ resealed: String(resealed) })
  },
})

const retireStep = ({ keyring, audit }: RotationDeps): Step => ({
  id: 'retire-older',
  ...bounds,
  do: async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    await keyring.retireOlder(scope)
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
