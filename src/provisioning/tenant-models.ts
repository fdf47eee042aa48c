import type { TokenCredential } from '@azure/core-auth'
import type { SecretStore } from '../azure/secret-store'
import { assertNever } from '../base/assert'
import type { StampId } from '../base/ids'
import { Problem, ProblemError } from '../base/problem'
import type { Removal } from '../checklists/removal'
import type { Backend } from '../routing/backend'
import type { Backends } from '../routing/backends'
import type { TenantScope } from '../storage/tenant-scope'
import { compileSnapshot } from '../tenants/compile-snapshot'
import type { AliasSpec, TenantRecord } from '../tenants/tenant-record'
import { createModelsPlans, planModels, type ModelsPlans } from './models-plan'
import { countDeployments, makeDeployments, removeDeployments, type MakeDeps } from './own-deployments'
import { placementOf, placementOn, setPlacement, type Placement, type PlacementDeps } from './placement'
import { isModel, probeBackend, type Probe, type ProbeDeps } from './probe-backend'
import type { Generation } from './resource-names'
import { checkConsent, ownedBackends } from './tenant-owned'

/** Models of a tenant's own, by its isolation. Everything can be repeated, and is, until it is done. */
export interface TenantModels {
  /**
   * One step towards every alias being served: deployments and accounts made or found, each tried by a real call, backends
   * of the tenant's. Nothing leads to them yet. `failed` is for good; `removeUnused` takes away whatever was made.
   */
  ensure(scope: TenantScope, wanted: WantedModels): Promise<ModelsEnsured>
  /**
   * One step towards nothing being left but what the record's aliases lead to (nothing where there is none): backends first,
   * so that nobody is led to what goes, then deployments and accounts.
   */
  removeUnused(scope: TenantScope, record: TenantRecord | undefined): Promise<Removal>
  /** Makes the stamp the tenant's: what is made for it without a stamp being named is made there from now on. */
  settleOn(scope: TenantScope, stampId: StampId): Promise<void>
  /** How much the tenant has: backends, deployments, accounts (deleted ones that are not purged too). */
  census(scope: TenantScope): Promise<number>
}

export interface WantedModels {
  /** As the tenant is, or as a move wants it to be. */
  readonly record: TenantRecord
  readonly generation: Generation
  /** Where, for a move that says so; otherwise where the tenant's things are, or a stamp of its region. */
  readonly stampId?: StampId | undefined
}

export type ModelsEnsured =
  /** The groups that each alias is to lead to; none for shared models. */
  | { readonly kind: 'ready'; readonly routes: Readonly<Record<string, AliasSpec['groups']>> }
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
  | { readonly kind: 'failed'; readonly problem: Problem }

export interface TenantModelsDeps extends PlacementDeps, ProbeDeps, Pick<MakeDeps, 'arm'> {
  readonly backends: Pick<Backends, 'list' | 'create' | 'remove'>
  readonly secrets: Pick<SecretStore, 'get'>
  readonly identity: TokenCredential
}

/** A role bites minutes after it was given, a secret may be handed over later, a directory may be out of reach. */
const PATIENCE_MS = 15_000

export function createTenantModels(deps: TenantModelsDeps): TenantModels {
  const plans = createModelsPlans(deps.rows)
  return {
    ensure: async (scope, wanted) => {
      const { models } = wanted.record.isolation
      switch (models) {
        case 'shared':
          return { kind: 'ready', routes: {} }
        case 'own-deployment':
        case 'dedicated':
          return ensureMade(deps, plans, { scope, ...wanted })
        case 'tenant-owned':
          return ensureOwned(deps, { scope, ...wanted })
        default:
          return assertNever(models)
      }
    },
    removeUnused: async (scope, record) => {
      const used = new Set(record?.aliases.flatMap(backendsOf))
      for (const { id } of (await ownedBy(deps, scope)).filter(({ id }) => !used.has(id))) {
        const fault = await deps.backends.remove(id)
        if (fault && fault.code !== 'not_found') throw new Error(`${id} could not be removed: ${fault.public}`)
      }
      for (const { generation, plan } of await plans.list(scope)) {
        if (plan.deployments.some(({ backendId }) => used.has(backendId))) continue
        const removed = await removeDeployments(deps.arm, plan)
        if (removed !== true) return { kind: 'not-yet', againAfterMs: removed.againAfterMs }
        await plans.remove(scope, generation)
      }
      return { kind: 'removed' }
    },
    settleOn: async (scope, stampId) => {
      const placement = await placementOn(deps, stampId)
      if (placement instanceof Problem) throw new ProblemError(placement)
      await setPlacement(deps.rows, scope, placement)
    },
    census: async (scope) => {
      const all = await plans.list(scope)
      const resources = await Promise.all(all.map(({ plan }) => countDeployments(deps.arm, plan)))
      return resources.reduce((total, count) => total + count, (await ownedBy(deps, scope)).length)
    },
  }
}

const backendsOf = ({ groups }: AliasSpec) => groups.flatMap(({ members }) => members.map(({ backendId }) => backendId))

const ownedBy = async ({ backends }: TenantModelsDeps, { tenantId }: TenantScope) =>
  (await backends.list()).map(({ backend }) => backend).filter(({ ownerTenantId }) => ownerTenantId === tenantId)

interface Subject extends WantedModels {
  readonly scope: TenantScope
}

async function ensureMade(deps: TenantModelsDeps, plans: ModelsPlans, subject: Subject): Promise<ModelsEnsured> {
  const { scope, record, generation } = subject
  const fault = await ensurePlan(deps, plans, subject)
  if (fault) return { kind: 'failed', problem: fault }
  const sharedAccounts = async ({ stampId }: Placement) => ({
    ids: (await deps.stamps.read(stampId))?.stamp.modelAccountIds ?? [],
    backends: await allBackends(deps),
  })
  const made = await makeDeployments({ arm: deps.arm, plans, sharedAccounts }, scope, generation)
  if (made.kind !== 'made') return made
  for (const { alias, backend } of made.backends) {
    const outcome = judgeMade(alias, await probe(deps, record, { alias, backend }))
    if (outcome) return outcome
  }
  return keep(deps, made.backends)
}

/** The plan is written before anything is made. */
async function ensurePlan(
  deps: TenantModelsDeps,
  plans: ModelsPlans,
  { scope, record, generation, stampId }: Subject,
): Promise<Problem | undefined> {
  if (await plans.get(scope, generation)) return undefined
  const placement = await (stampId ? placementOn(deps, stampId) : placementOf(deps, scope, record))
  if (placement instanceof Problem) return placement
  const stored = await deps.stamps.read(placement.stampId)
  const known = { placement, stamp: stored?.stamp, backends: await allBackends(deps) }
  const plan = planModels(record, { generation, ...known })
  if (!plan)
    return new Problem('no_stamp', `The stamp ${placement.stampId} has no account for deployments of tenants' own.`)
  await plans.create(scope, generation, plan)
  return undefined
}

const allBackends = async ({ backends }: TenantModelsDeps): Promise<Backend[]> =>
  (await backends.list()).map(({ backend }) => backend)

type Unready = Exclude<ModelsEnsured, { kind: 'ready' }>

/** Undefined where the deployment answers. What we have made ourselves is waited for. */
function judgeMade(alias: string, probed: Probe): Unready | undefined {
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

async function ensureOwned(deps: TenantModelsDeps, { scope, record, generation }: Subject): Promise<ModelsEnsured> {
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
  const backends = ownedBackends(record, generation)
  for (const each of backends) {
    const outcome = judgeOwned(record, each, await probe(deps, record, each))
    if (outcome) return outcome
  }
  return keep(deps, backends)
}

const refused = (text: string): Unready => ({
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
): Unready | undefined {
  const what = `The deployment "${backend.deployment}" for the alias "${alias}"`
  const model = aliases.find(({ name }) => name === alias)?.model ?? ''
  switch (probed.kind) {
    case 'answers':
      return probed.model === undefined || isModel(probed.model, model)
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

/** Backends of the tenant's own: last, when all of them answer. */
async function keep(
  { backends }: TenantModelsDeps,
  made: readonly { alias: string; backend: Backend }[],
): Promise<ModelsEnsured> {
  for (const { backend } of made) {
    const { id, ...rest } = backend
    const stored = await backends.create(id, rest)
    if (stored instanceof Problem) return { kind: 'failed', problem: stored }
  }
  const routes = made.map(({ alias, backend }) => [alias, [{ members: [{ backendId: backend.id, weight: 1 }] }]])
  return { kind: 'ready', routes: Object.fromEntries(routes) }
}
