import type { TokenCredential } from '@azure/core-auth'
import type { SecretStore } from '../azure/secret-store'
import { assertNever } from '../base/assert'
import { Problem } from '../base/problem'
import { done, type StepOutcome } from '../checklists/checklist'
import type { Backend } from '../routing/backend'
import type { Backends } from '../routing/backends'
import type { Stamps } from '../stamps/stamps'
import type { TenantScope } from '../storage/tenant-scope'
import { compileSnapshot } from '../tenants/compile-snapshot'
import type { TenantRecord } from '../tenants/tenant-record'
import type { Tenants } from '../tenants/tenants'
import { createModelsPlans, planModels, type ModelsPlans } from './models-plan'
import { countDeployments, makeDeployments, removeDeployments, type MakeDeps } from './own-deployments'
import { placementOf, readPlacement, type PlacementDeps } from './placement'
import { isModel, probeBackend, type Probe, type ProbeDeps } from './probe-backend'
import { checkConsent, ownedBackends } from './tenant-owned'

/** Models of a tenant's own, by its isolation. Everything can be repeated, and is, until it is done. */
export interface TenantModels {
  /**
   * One step towards every alias being served: deployments and accounts made or found, each tried by a real call, backends
   * of the tenant's, routes to them. `failed` is for good; `removeModels` undoes whatever was made.
   */
  ensure(scope: TenantScope, record: TenantRecord): Promise<StepOutcome>
  /** One step towards nothing being left: backends first, so that nobody is led to what goes. */
  remove(scope: TenantScope): Promise<{ kind: 'removed' } | { kind: 'not-yet'; againAfterMs: number }>
  /** How much is left: backends, deployments, accounts (deleted ones that are not purged too), secrets. */
  census(scope: TenantScope): Promise<number>
}

export interface TenantModelsDeps extends PlacementDeps, ProbeDeps, Pick<MakeDeps, 'arm'> {
  readonly stamps: Pick<Stamps, 'list' | 'read'>
  readonly backends: Pick<Backends, 'list' | 'create' | 'remove'>
  readonly tenants: Pick<Tenants, 'setRoutes'>
  readonly secrets: SecretStore
  readonly identity: TokenCredential
}

/** A role bites minutes after it was given, a secret may be handed over later, a directory may be out of reach. */
const PATIENCE_MS = 15_000

export function createTenantModels(deps: TenantModelsDeps): TenantModels {
  const plans = createModelsPlans(deps.rows)
  return {
    ensure: async (scope, record) => {
      const { models } = record.isolation
      switch (models) {
        case 'shared':
          return done({ models })
        case 'own-deployment':
        case 'dedicated':
          return ensureMade(deps, plans, { scope, record })
        case 'tenant-owned':
          return ensureOwned(deps, scope, record)
        default:
          return assertNever(models)
      }
    },
    remove: async (scope) => {
      for (const { id } of await ownedBy(deps, scope)) {
        const fault = await deps.backends.remove(id)
        if (fault && fault.code !== 'not_found') throw new Error(`${id} could not be removed: ${fault.public}`)
      }
      for (const name of await deps.secrets.list(scope)) await deps.secrets.remove(scope, name)
      const kept = await plans.get(scope)
      if (!kept) return { kind: 'removed' }
      const removed = await removeDeployments(deps.arm, kept.plan)
      if (removed !== true) return { kind: 'not-yet', againAfterMs: removed.againAfterMs }
      await plans.remove(scope)
      return { kind: 'removed' }
    },
    census: async (scope) => {
      const kept = await plans.get(scope)
      const secrets = await deps.secrets.list(scope)
      const resources = kept ? await countDeployments(deps.arm, kept.plan) : 0
      return (await ownedBy(deps, scope)).length + secrets.length + resources
    },
  }
}

const ownedBy = async ({ backends }: TenantModelsDeps, { tenantId }: TenantScope) =>
  (await backends.list()).map(({ backend }) => backend).filter(({ ownerTenantId }) => ownerTenantId === tenantId)

interface Subject {
  readonly scope: TenantScope
  readonly record: TenantRecord
}

async function ensureMade(
  deps: TenantModelsDeps,
  plans: ModelsPlans,
  { scope, record }: Subject,
): Promise<StepOutcome> {
  const fault = await ensurePlan(deps, plans, { scope, record })
  if (fault) return { kind: 'failed', problem: fault }
  const sharedAccounts = async () => {
    const placement = await readPlacement(deps.rows, scope)
    const stored = placement && (await deps.stamps.read(placement.stampId))
    return { ids: stored?.stamp.modelAccountIds ?? [], backends: await allBackends(deps) }
  }
  const made = await makeDeployments({ arm: deps.arm, plans, sharedAccounts }, scope)
  if (made.kind !== 'made') return made
  for (const { alias, backend } of made.backends) {
    const outcome = judgeMade(alias, await probe(deps, record, { alias, backend }))
    if (outcome) return outcome
  }
  return route(deps, { scope, record }, made.backends)
}

/** The plan is written before anything is made. */
async function ensurePlan(
  deps: TenantModelsDeps,
  plans: ModelsPlans,
  { scope, record }: Subject,
): Promise<Problem | undefined> {
  if (await plans.get(scope)) return undefined
  const placement = await placementOf(deps, scope, record)
  if (placement instanceof Problem) return placement
  const stored = await deps.stamps.read(placement.stampId)
  const plan = planModels(record, { placement, stamp: stored?.stamp, backends: await allBackends(deps) })
  if (!plan)
    return new Problem('no_stamp', `The stamp ${placement.stampId} has no account for deployments of tenants' own.`)
  await plans.create(scope, plan)
  return undefined
}

const allBackends = async ({ backends }: TenantModelsDeps): Promise<Backend[]> =>
  (await backends.list()).map(({ backend }) => backend)

/** Undefined where the deployment answers. What we have made ourselves is waited for. */
function judgeMade(alias: string, probed: Probe): StepOutcome | undefined {
  switch (probed.kind) {
    case 'answers':
      return undefined
    case 'denied':
    case 'missing':
    case 'unsure':
      return { kind: 'not-yet', againAfterMs: PATIENCE_MS }
    case 'refused': {
      const text = `The deployment for the alias "${alias}" was made, but refuses calls: HTTP ${probed.status}, ${probed.code}.`
      return { kind: 'failed', problem: new Problem('provisioning_refused', text) }
    }
    default:
      return assertNever(probed)
  }
}

async function ensureOwned(deps: TenantModelsDeps, scope: TenantScope, record: TenantRecord): Promise<StepOutcome> {
  const { ownAccount } = record
  if (!ownAccount) return refused('The record does not say where the tenant’s account is.')
  const { credential, endpoint } = ownAccount
  if (await isTaken(deps, scope, endpoint)) return refused(`${endpoint} serves others of this platform already.`)
  const consent = await checkConsent(deps.identity, ownAccount)
  if (consent instanceof Problem) return { kind: 'failed', problem: consent }
  if (consent === 'unsure') return { kind: 'not-yet', againAfterMs: PATIENCE_MS }
  // It is handed over once the tenant's id is known, which is after the onboarding began.
  if (credential.kind === 'tenant-secret' && (await deps.secrets.get(scope, credential.name)) === undefined)
    return { kind: 'not-yet', againAfterMs: PATIENCE_MS }
  const backends = ownedBackends(record)
  for (const each of backends) {
    const outcome = judgeOwned(record, each, await probe(deps, record, each))
    if (outcome) return outcome
  }
  return route(deps, { scope, record }, backends)
}

const refused = (text: string): StepOutcome => ({
  kind: 'failed',
  problem: new Problem('tenant_account_refused', text),
})

/** An account that the platform or another tenant uses is not this tenant's, whatever credential opens it. */
async function isTaken(deps: TenantModelsDeps, { tenantId }: TenantScope, endpoint: string): Promise<boolean> {
  const host = new URL(endpoint).href
  return (await allBackends(deps)).some(
    (backend) => backend.ownerTenantId !== tenantId && new URL(backend.endpoint).href === host,
  )
}

/** Undefined where the deployment answers with the alias's model. What is wrong is the tenant's to mend. */
function judgeOwned(
  { aliases, ownAccount }: TenantRecord,
  { alias, backend }: { alias: string; backend: Backend },
  probed: Probe,
): StepOutcome | undefined {
  const what = `The deployment "${backend.deployment}" for the alias "${alias}"`
  const model = aliases.find(({ name }) => name === alias)?.model ?? ''
  switch (probed.kind) {
    case 'answers':
      return isModel(probed.model, model)
        ? undefined
        : refused(`${what} is of the model ${probed.model || '(none named)'}, the alias of ${model}.`)
    case 'denied': {
      const isKey = ownAccount?.credential.kind === 'tenant-secret'
      const advice = isKey
        ? 'The key is wrong, or the account takes none.'
        : 'The platform’s application needs the role "Cognitive Services OpenAI User" on the account.'
      return refused(`${what} refuses us: HTTP ${probed.status}, ${probed.code}. ${advice}`)
    }
    case 'missing':
      return refused(`${what} does not exist in the account.`)
    case 'refused':
      return refused(`${what} refuses calls: HTTP ${probed.status}, ${probed.code}.`)
    case 'unsure':
      return { kind: 'not-yet', againAfterMs: PATIENCE_MS }
    default:
      return assertNever(probed)
  }
}

async function probe(
  deps: TenantModelsDeps,
  record: TenantRecord,
  { alias, backend }: { alias: string; backend: Backend },
): Promise<Probe> {
  const compiled = compileSnapshot(record).aliases[alias]
  if (!compiled) throw new Error(`${record.tenantId} has no alias "${alias}"`)
  return probeBackend(deps, backend, compiled)
}

/** Backends of the tenant's own, and its aliases' routes to them: last, when all of them answer. */
async function route(
  { backends, tenants }: TenantModelsDeps,
  { scope, record }: Subject,
  made: readonly { alias: string; backend: Backend }[],
): Promise<StepOutcome> {
  for (const { backend } of made) {
    const { id, ...rest } = backend
    const stored = await backends.create(id, rest)
    if (stored instanceof Problem) return { kind: 'failed', problem: stored }
  }
  const routes = Object.fromEntries(
    made.map(({ alias, backend }) => [alias, [{ members: [{ backendId: backend.id, weight: 1 }] }]]),
  )
  const routed = await tenants.setRoutes(scope, routes)
  if (routed instanceof Problem) return { kind: 'failed', problem: routed }
  return done({ models: record.isolation.models, deployments: String(made.length) })
}
