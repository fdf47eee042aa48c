import { assert } from '../base/assert'
import type { AuditLog } from '../audit/audit-log'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { Problem, ProblemError } from '../base/problem'
import { done, type Checklist, type ChecklistStep } from '../checklists/checklist'
import { certificateFact, exportFact } from '../checklists/operation-view'
import type { Removal } from '../checklists/removal'
import type { TenantKeyring } from '../encryption/sealer'
import { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import type { CertificateSigner } from './certificate'
import type { Exporter } from './exporter'
import { offboardingName, type OffboardingInput } from './offboarding-input'
import type { Offboarding, Offboardings } from './offboardings'
import { othersOf, purgeOthers } from './other-operations'
import type { Sweep } from './sweep'
import type { TenantStore } from './tenant-store'
import { retainedOf, type TenantStores } from './tenant-stores'

export interface OffboardingDeps {
  readonly tenants: Tenants
  readonly offboardings: Offboardings
  readonly exporter: Exporter
  readonly stores: TenantStores
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
/** A move of the tenant's data may have as long, and the freeze waits for its end. */
const FREEZE_MS_MAX = 25 * 3_600_000
const OTHERS_POLL_MS = 2_000
/** Each removes what it finds and looks again; 7.5 s in all. */
const SWEEP_ATTEMPTS_MAX = 5

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

/**
 * The tenant's calls are refused since the offboarding was asked for; everywhere within 30 s, when the last snapshot is stale.
 * What comes after waits until nobody writes any more: calls, changes, and other operations on the tenant.
 */
const freezeStep = ({ tenants, offboardings, keyring, graceMs, clock }: OffboardingDeps): Step => ({
  id: 'freeze',
  ...bounds,
  timeoutMs: FREEZE_MS_MAX,
  do: async ({ operationId, tenantId, input }, { orchestrations }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    if (!(await offboardings.get(tenantId))) {
      const frozen = await tenants.transition(scope, 'begin-offboarding')
      if (frozen instanceof Problem) return { kind: 'failed', problem: frozen }
    }
    const { frozenAt } = await offboardings.begin({
      tenantId,
      requestedBy: input.requestedBy,
      frozenAt: clock.now(),
      removed: {},
      dataKeyVersions: [],
    })
    const waitMs = frozenAt + graceMs - clock.now()
    if (waitMs > 0) return { kind: 'not-yet', againAfterMs: waitMs }
    const others = othersOf(await orchestrations.running(), { operationId, tenantId })
    if (others.length > 0) return { kind: 'not-yet', againAfterMs: OTHERS_POLL_MS }
    const versions = await keyring.versions(scope)
    await offboardings.change(tenantId, (offboarding) => ({
      ...offboarding,
      // Of an offboarding that begins anew the versions may be destroyed already.
      dataKeyVersions: versions.length > 0 ? versions : offboarding.dataKeyVersions,
    }))
    return done({ frozenAt: new Date(frozenAt).toISOString() })
  },
})

const exportStep = ({ exporter, offboardings, publicUrl }: OffboardingDeps): Step => ({
  id: 'export',
  ...bounds,
  applies: ({ withExport }) => withExport,
  do: async ({ tenantId }) => {
    const known = (await offboardings.get(tenantId))?.export
    const made = known ?? (await exporter.make(TenantScope.ofPlatform(tenantId)))
    // Of two attempts at once the first one's counts; the other's archive goes when its time is over.
    const { export: kept = made } = await offboardings.change(tenantId, (offboarding) => ({
      ...offboarding,
      export: offboarding.export ?? made,
    }))
    return done({ [exportFact]: `${publicUrl}/api/exports/${exporter.token(tenantId)}`, exportSha256: kept.sha256 })
  },
})

const deleteStep = ({ stores, offboardings }: OffboardingDeps): Step => ({
  id: 'delete',
  ...bounds,
  do: async ({ tenantId }) => {
    for (const store of stores.data) {
      const removal = await emptyStore(offboardings, store, tenantId)
      if (removal.kind === 'not-yet') return removal
    }
    return done({ storesEmptied: String(stores.data.length) })
  },
})

const destroyKeyStep = ({ stores, offboardings, clock }: OffboardingDeps): Step => ({
  id: 'destroy-key',
  ...bounds,
  do: async ({ tenantId }) => {
    const removal = await emptyStore(offboardings, stores.dataKey, tenantId)
    if (removal.kind === 'not-yet') return removal
    const { keyDestroyedAt = 0 } = await offboardings.change(tenantId, (offboarding) => ({
      ...offboarding,
      keyDestroyedAt: offboarding.keyDestroyedAt ?? clock.now(),
    }))
    return done({ keyDestroyedAt: new Date(keyDestroyedAt).toISOString() })
  },
})

const removeRecordStep = ({ stores, offboardings, clock }: OffboardingDeps): Step => ({
  id: 'remove-record',
  ...bounds,
  do: async ({ operationId, tenantId }, { orchestrations }) => {
    const removal = await emptyStore(offboardings, stores.record, tenantId)
    if (removal.kind === 'not-yet') return removal
    await purgeOthers(orchestrations, { operationId, tenantId }, clock.now())
    return done()
  },
})

/** Counted first: a removal that breaks off has no count, and the next attempt finds less. */
async function emptyStore(offboardings: Offboardings, store: TenantStore, tenantId: TenantId): Promise<Removal> {
  const scope = TenantScope.ofPlatform(tenantId)
  const found = await store.census(scope)
  await offboardings.change(tenantId, (offboarding) => ({
    ...offboarding,
    removed: { ...offboarding.removed, [store.name]: Math.max(offboarding.removed[store.name] ?? 0, found) },
  }))
  return store.remove(scope)
}

/**
 * Asks every store and the host, and looks through the whole storage account, which trusts no list of ours. What one of them knows
 * is removed before the next attempt.
 */
const sweepStep = ({ stores, offboardings, sweep, clock }: OffboardingDeps): Step => ({
  id: 'sweep',
  ...bounds,
  attemptsMax: SWEEP_ATTEMPTS_MAX,
  do: async ({ operationId, tenantId }, { orchestrations }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const all = [...stores.data, stores.dataKey, stores.record]
    const account = await sweep(scope, retainedOf(await mustGet(offboardings, tenantId)))
    const left = [...account.left]
    for (const store of all) {
      const count = await store.census(scope)
      if (count > 0) left.push(`${store.name} (${count})`)
    }
    const purged = await purgeOthers(orchestrations, { operationId, tenantId }, clock.now())
    if (purged.length > 0) left.push(`histories of operations (${purged.length})`)
    if (left.length > 0) {
      for (const store of all) await store.remove(scope)
      const text = `Something of the tenant is left: ${left.join('; ')}.`
      throw new ProblemError(new Problem('offboarding_incomplete', text))
    }
    const looked = [...all.map(({ name }) => name), 'histories of operations', ...account.looked]
    const swept = { at: clock.now(), looked }
    await offboardings.change(tenantId, (offboarding) => ({ ...offboarding, swept }))
    return done({ sweptAt: new Date(swept.at).toISOString(), storesSwept: String(looked.length) })
  },
})

const certificateStep = ({ offboardings, signer, audit, publicUrl, clock }: OffboardingDeps): Step => ({
  id: 'certificate',
  ...bounds,
  do: async ({ operationId, tenantId }) => {
    const offboarding = await mustGet(offboardings, tenantId)
    if (!offboarding.certificate) {
      const certificate = await signer.sign(certificateOf(operationId, offboarding, clock.now()))
      // On record first: a crash in between leaves a second entry, not a certificate that nobody knows of.
      await audit.append('platform', {
        actor: { kind: 'orchestration', id: operationId },
        action: 'offboarding.certify',
        target: tenantId,
        outcome: 'done',
        requestId: operationId,
      })
      await offboardings.change(tenantId, (record) => ({ ...record, certificate }))
    }
    return done({ [certificateFact]: `${publicUrl}/api/platform/tenants/${tenantId}/deletion-certificate` })
  },
})

/** Times in ISO 8601. Never made but of a sweep that found nothing. */
function certificateOf(operationId: string, offboarding: Offboarding, nowMs: number) {
  const { tenantId, requestedBy, frozenAt, export: made, removed, dataKeyVersions, keyDestroyedAt, swept } = offboarding
  assert(keyDestroyedAt !== undefined && swept !== undefined, 'certified is what was swept')
  const isoTime = (timeMs: number) => new Date(timeMs).toISOString()
  return {
    kind: 'tenantry-deletion-certificate',
    offboardingId: operationId,
    tenantId,
    requestedBy,
    frozenAt: isoTime(frozenAt),
    ...(made ? { export: { sha256: made.sha256, bytes: made.bytes, until: isoTime(made.until) } } : {}),
    removed,
    dataKeys: {
      destroyedAt: isoTime(keyDestroyedAt),
      versions: dataKeyVersions.map(({ version, wrappedBy }) => ({ version, wrappedBy })),
    },
    swept: { at: isoTime(swept.at), found: 0, looked: swept.looked },
    retained: retainedOf(offboarding),
    issuedAt: isoTime(nowMs),
  }
}

async function mustGet(offboardings: Offboardings, tenantId: TenantId): Promise<Offboarding> {
  const offboarding = await offboardings.get(tenantId)
  assert(offboarding !== undefined, 'the freeze began the offboarding’s record')
  return offboarding
}
