import { done } from '../../checklists/checklist'
import { COGNITIVE_API_VERSION } from '../../provisioning/own-deployments'
import { ensureRole, roles } from '../../provisioning/role-assignments'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import type { ModelVersion } from '../../registry/model-version'
import type { TrainingPlace } from '../training-accounts'
import type { Rebuild, TrainingAccount } from '../tuning-job'
import { fail, notYet, onJobToSend, type TuningRun } from '../tuning-run'
import type { TenantSnapshot } from '../../tenants/snapshot'

const API_VERSION = '2024-10-21'

/** Chooses where it trains, and gives the platform the right to train there. */
export const accountStep = (deps: TuningDeps): TuningStep => ({
  id: 'account',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJobToSend(deps, async (run) => {
    const { scope, id, job, tenant } = run
    if (job.account) return done()
    // What is trained anywhere would leave the regions that its tenant is bound to.
    if (tenant.residency.length > 0 && job.order.trainingType !== 'standard') return fail(deps, run, elsewhere)
    const found = await choose(deps, run, tenant)
    if (found === 'none') return fail(deps, run, nowhere)
    if (found === 'unsure') return notYet(deps, run)
    const role = await ensureRole(deps.arm, found.resourceId, roles.openAiContributor)
    if (role.kind === 'not-yet') return role
    // Operators may have given it for all accounts at once, and us no right to give any.
    if (role.kind === 'refused') deps.log.warn('no role to train', { jobId: id, code: role.code })
    await deps.store.change(scope, id, (before) => (before.account ? before : { ...before, account: found }))
    return done()
  }),
})

async function choose(
  deps: TuningDeps,
  { scope, job }: TuningRun,
  { residency }: TenantSnapshot,
): Promise<TrainingAccount | 'none' | 'unsure'> {
  const { parent: parentId, rebuild } = job.order
  const parent = parentId && (await deps.registry.get(scope, parentId))
  // A tuned model is trained further where it is.
  const places = parent ? placesOf(parent) : (elsewhereOf(rebuild) ?? (await deps.trainingAccounts(scope)))
  const busy = await Promise.all(places.map(async (place) => ({ place, jobs: await deps.turns.busy(place.accountId) })))
  let isUnsure = false
  for (const { place } of busy.toSorted((a, b) => a.jobs - b.jobs)) {
    const { accountId, ...access } = place
    const found = await deps.arm.get(accountId, COGNITIVE_API_VERSION)
    isUnsure ||= found.kind === 'busy' || found.kind === 'under-way'
    if (found.kind !== 'ready') continue
    const { location, properties } = found.resource
    const { endpoint } = properties
    // ARM writes regions either way, "Sweden Central" and "swedencentral".
    const region = (location ?? '').toLowerCase().replaceAll(' ', '')
    if (typeof endpoint !== 'string' || (residency.length > 0 && !residency.includes(region))) continue
    return {
      resourceId: accountId,
      region,
      account: {
        ...access,
        endpoint: endpoint.replace(/\/+$/, ''),
        api: { kind: 'azure-openai', apiVersion: API_VERSION },
      },
    }
  }
  return isUnsure ? 'unsure' : 'none'
}

const placesOf = ({ upstream }: ModelVersion): readonly TrainingPlace[] => {
  const { account, accountId, sourceAccountId } = upstream
  const { credential, ownerTenantId, directoryId } = account
  const trainedAt = sourceAccountId ?? accountId
  return trainedAt === undefined ? [] : [{ accountId: trainedAt, credential, ownerTenantId, directoryId }]
}

/** A lost model is trained anew where it was decided, among the stamps' accounts. */
const elsewhereOf = (rebuild: Rebuild | undefined): readonly TrainingPlace[] | undefined =>
  rebuild?.accountIds?.map((accountId) => ({ accountId, credential: { kind: 'identity' } }))

const nowhere = {
  code: 'no_training_account',
  message: 'No model account can train for this tenant.',
  next: 'Ask the operators for an account in one of the tenant’s regions; one in a subscription of yours has to be named in the tenant’s record, and let the platform manage it (docs/fine-tuning.md). Then retry the job.',
}

const elsewhere = {
  code: 'training_type_not_allowed',
  message: 'The tenant’s data may be processed in its own regions only, and this training type may use any.',
  param: 'trainingType',
  next: 'Make a new job with the training type "standard".',
}
