import { Problem } from '../base/problem'
import type { AuditLog } from '../audit/audit-log'
import type { Clock } from '../base/clock'
import { done, type Checklist, type ChecklistStep } from '../checklists/checklist'
import { certificateFact } from '../checklists/operation-view'
import type { TenantKeyring } from '../encryption/sealer'
import { onboardingIdOf } from '../onboarding/onboarding-input'
import type { Places } from '../storage/places'
import { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import type { CertificateSigner } from './certificate'
import type { Exporter } from './exporter'
import { offboardingName, type OffboardingInput } from './offboarding-input'
import type { Offboardings } from './offboardings'
import type { Sweep } from './sweep'
import type { TenantStore } from './tenant-store'
import { retained } from './tenant-stores'

export interface OffboardingDeps {
  readonly tenants: Tenants
  readonly offboardings: Offboardings
  readonly exporter: Exporter
  readonly stores: readonly TenantStore[]
  readonly places: Places
  readonly keyring: TenantKeyring
  readonly sweep: Sweep
  readonly signer: CertificateSigner
  readonly audit: AuditLog
  readonly publicUrl: string
  /** How long calls and changes of other instances may go on after the freeze: their caches' age and the calls under way. */
  readonly graceMs: number
  readonly clock: Clock
}

type Step = ChecklistStep<OffboardingInput>
const bounds = { timeoutMs: 3_600_000, attemptsMax: 20 }

/**
 * From a tenant to its certificate of deletion. Nothing of it can be undone, so a step that fails for good stops the
 * checklist where it stands; starting it again goes on from there.
 */
export const offboardingChecklist = (deps: OffboardingDeps): Checklist<OffboardingInput> => ({
  name: offboardingName,
  onFailure: 'stop',
  steps: [
    freezeStep(deps),
    exportStep(deps),
    deleteStep(deps),
    destroyKeyStep(deps),
    removeRecordStep(deps),
    sweepStep(deps),
    certificateStep(deps),
  ],
})

/** Calls are refused here at once and everywhere within 30 s; what comes after waits until nobody writes any more. */
const freezeStep = ({ tenants, offboardings, keyring, graceMs, clock }: OffboardingDeps): Step => ({
  id: 'freeze',
  ...bounds,
  do: async ({ tenantId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const known = await offboardings.get(tenantId)
    if (!known) {
      const frozen = await tenants.transition(scope, 'begin-offboarding')
      if (frozen instanceof Problem) return { kind: 'failed', problem: frozen }
    }
    const { frozenAt } = await offboardings.begin({
      tenantId,
      requestedBy: input.requestedBy,
      frozenAt: clock.now(),
      removed: {},
      dataKeyVersions: await keyring.versions(scope),
    })
    const waitMs = frozenAt + graceMs - clock.now()
    return waitMs > 0 ? { kind: 'not-yet', againAfterMs: waitMs } : done({ frozenAt: new Date(frozenAt).toISOString() })
  },
})

const exportStep = ({ exporter, offboardings, publicUrl, clock }: OffboardingDeps): Step => ({
  id: 'export',
  ...bounds,
  applies: ({ withExport }) => withExport,
  do: async ({ operationId, tenantId }) => {
    const known = (await offboardings.get(tenantId))?.export
    const made = known ?? (await exporter.make(TenantScope.ofPlatform(tenantId), operationId, clock.now()))
    await offboardings.change(tenantId, (offboarding) => ({ ...offboarding, export: made }))
    return done({ exportUrl: `${publicUrl}/api/exports/${exporter.token(tenantId)}`, exportSha256: made.sha256 })
  },
})

const deleteStep = ({ stores, offboardings }: OffboardingDeps): Step => ({
  id: 'delete',
  ...bounds,
  do: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    for (const store of stores) {
      const removed = await store.remove(scope)
      await offboardings.change(tenantId, (offboarding) => ({
        ...offboarding,
        // A repeated step finds nothing: what the first attempt removed stays on the record.
        removed: { ...offboarding.removed, [store.name]: (offboarding.removed[store.name] ?? 0) + removed },
      }))
    }
    return done({ storesEmptied: String(stores.length) })
  },
})

const destroyKeyStep = ({ keyring }: OffboardingDeps): Step => ({
  id: 'destroy-key',
  ...bounds,
  do: async ({ tenantId }) => {
    await keyring.destroy(TenantScope.ofPlatform(tenantId))
    return done()
  },
})

const removeRecordStep = ({ tenants, places }: OffboardingDeps): Step => ({
  id: 'remove-record',
  ...bounds,
  do: async ({ tenantId }, { orchestrations }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    await places.forget(scope)
    await tenants.remove(scope)
    // The onboarding's history has the name and address that the tenant came with.
    await orchestrations.purge(onboardingIdOf(tenantId))
    return done()
  },
})

const sweepStep = ({ sweep }: OffboardingDeps): Step => ({
  id: 'sweep',
  ...bounds,
  do: async ({ tenantId }) => {
    const { left, looked } = await sweep(TenantScope.ofPlatform(tenantId))
    if (left.length === 0) return done({ storesSwept: String(looked.length) })
    const text = `Something of the tenant is left: ${left.join('; ')}. Find who writes it and start the offboarding again.`
    return { kind: 'failed', problem: new Problem('offboarding_incomplete', text) }
  },
})

const certificateStep = ({ offboardings, sweep, signer, audit, publicUrl, clock }: OffboardingDeps): Step => ({
  id: 'certificate',
  ...bounds,
  do: async ({ operationId, tenantId }) => {
    const { certificate, ...offboarding } = (await offboardings.get(tenantId)) ?? { certificate: undefined }
    if (!certificate) {
      const { looked } = await sweep(TenantScope.ofPlatform(tenantId))
      const signed = await signer.sign({
        kind: 'tenantry-deletion-certificate',
        offboardingId: operationId,
        ...offboarding,
        swept: looked,
        left: 0,
        retained,
        issuedAt: new Date(clock.now()).toISOString(),
      })
      await offboardings.change(tenantId, (record) => ({ ...record, certificate: signed }))
      await audit.append('platform', {
        actor: { kind: 'orchestration', id: operationId },
        action: 'offboarding.certify',
        target: tenantId,
        outcome: 'done',
        requestId: operationId,
      })
    }
    return done({ [certificateFact]: `${publicUrl}/api/platform/tenants/${tenantId}/deletion-certificate` })
  },
})
