import { done } from '../../checklists/checklist'
import type { Account } from '../../files/account-files'
import { findAlias } from '../../inference/authorize'
import type { Backend } from '../../routing/backend'
import { planRoute } from '../../routing/plan-route'
import type { ModelAlias, TenantSnapshot } from '../../tenants/snapshot'
import { BEGIN_MS_MAX, STEP_ATTEMPTS_MAX, type BatchDeps, type BatchStep } from '../batch-deps'
import { end, onBatchToSend, pauseMs, undoOf } from '../batch-operation'
import { BATCH_FAULTS_MAX, batchFault, become, isOver } from '../batch-record'
import { BATCH_BYTES_MAX, checkInput } from '../check-input'

/** Reads the input to its end and chooses where the batch goes; nothing is sent of one that is not sound. */
export const checkStep = (deps: BatchDeps): BatchStep => ({
  id: 'check',
  timeoutMs: BEGIN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onBatchToSend(deps, async (run) => {
    const { scope, id, record, tenant } = run
    if (record.work) return done()
    const file = await deps.files.read(scope, record.inputFileId)
    if (!file) return end(deps, run, 'failed', batchFault('invalid_request', NO_FILE, { param: 'input_file_id' }))
    if (file.record.bytes > BATCH_BYTES_MAX)
      return end(deps, run, 'failed', batchFault('file_too_large', TOO_LARGE, { param: 'input_file_id' }))

    const atMs = deps.clock.now()
    const checked = await checkInput(file.content, {
      endpoint: record.endpoint,
      model: record.model,
      aliasOf: (name) => batchAlias(tenant, record.by, name),
      costOf: (model, usage) => deps.batchCostOf(model, usage, atMs),
    })
    if (checked.kind === 'refused') return end(deps, run, 'failed', ...checked.faults)
    const { alias, lines, promptTokens, tokens, microUsd } = checked
    const backend = await chooseBackend(deps, tenant, alias)
    // An operator's to mend; until the window is over it may be.
    if (!backend) return { kind: 'not-yet', againAfterMs: pauseMs(deps, run) }
    if (microUsd === undefined) deps.budgetWarnings.unpriced({ tenantId: scope.tenantId, model: alias.model }, atMs)
    await deps.store.change(scope, id, (before) =>
      before.work || before.end
        ? before
        : {
            ...before,
            counts: { ...before.counts, total: lines },
            work: {
              alias: alias.name,
              model: alias.model,
              lines,
              backendId: backend.id,
              account: accountOf(backend),
              deployment: backend.deployment,
              region: backend.region,
              cap: { outputTokensMax: alias.outputTokensMax, outputTokensField: alias.outputTokensField },
              weight: tenant.weight,
              promptTokens,
              estimate: { tokens, microUsd: microUsd ?? 0 },
            },
          },
    )
    return done({ lines: String(lines) })
  }),
  // The checklist gave up, which no batch does on its own account.
  undo: undoOf(deps, async ({ scope, id }) => {
    const fault = batchFault('internal_error', 'The batch could not be brought to its end.')
    await deps.store.change(scope, id, (record) => {
      if (isOver(record)) return record
      // However it had ended at its account, its owner has nothing of it.
      const { faults, ...given } = record
      const failed = { ...given, end: 'failed' as const, faults: [...faults, fault].slice(0, BATCH_FAULTS_MAX) }
      return become(failed, 'failed', deps.clock.now())
    })
  }),
})

const accountOf = ({ endpoint, api, credential, ownerTenantId, directoryId }: Backend): Account => ({
  endpoint,
  api,
  credential,
  ownerTenantId,
  directoryId,
})

const NO_FILE = 'The input file does not exist (any more).'
const TOO_LARGE = `The input file is larger than ${BATCH_BYTES_MAX} bytes.`

/** An alias that its key may use and whose deployments run batches. */
export function batchAlias(
  tenant: TenantSnapshot,
  caller: Parameters<typeof findAlias>[1],
  name: string,
): ModelAlias | undefined {
  const alias = findAlias(tenant, caller, name)
  return alias?.capabilities.includes('batch') ? alias : undefined
}

/** By the alias's route: a batch has time, so nothing but its order, weights and the tenant's residency counts. */
async function chooseBackend(
  { backends, chance }: BatchDeps,
  { tenantId, residency }: TenantSnapshot,
  { groups }: ModelAlias,
): Promise<Backend | undefined> {
  const all = await backends()
  const plan = planRoute({
    tenantId,
    groups,
    residency,
    backendOf: (id) => all.get(id),
    healthOf: () => ({ kind: 'ready' }),
    isSaturated: () => false,
    fraction: () => chance.fraction(),
  })
  return plan.kind === 'candidates' ? plan.candidates[0] : undefined
}
