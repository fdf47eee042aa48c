import { done } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import { objected, onBuild } from '../build-run'
import { stillConsents } from '../collect-contributors'
import { affect } from '../objections'
import { sampleTenant } from '../sample-tenant'
import { withContributor } from '../shared-models'
import { ATTEMPTS_MAX, BUILD_MS_MAX, type SharedModelDeps, type SharedModelStep } from '../shared-model-deps'
import { tenantTerms } from '../tenant-terms'

/**
 * Reads each contributor's files through its own scope, one tenant a run; what leaves that scope has no form and no term of the
 * tenant in it any more. On record in the tenant's own log.
 */
export const sampleStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'sample',
  timeoutMs: BUILD_MS_MAX,
  attemptsMax: ATTEMPTS_MAX,
  do: onBuild(deps, async ({ id, model, owner }) => {
    const next = model.contributors.find(({ sample }) => sample === undefined)
    if (!next) return done()
    const { tenantId } = next
    const scope = tenantId && TenantScope.ofPlatform(tenantId)
    const entry = scope && (await deps.consents.current(scope, model.order.purposeId))
    const record = scope && (await deps.tenants.get(scope))
    if (!scope || !record || !stillConsents(next, entry)) {
      await affect(deps, id, tenantId)
      return objected
    }
    const { lines, leftOut, files } = await sampleTenant(deps, scope, {
      seed: id,
      fileIds: next.fileIds,
      terms: tenantTerms(record, entry),
    })
    await deps.audit.append(scope, {
      actor: { kind: 'orchestration', id },
      action: 'shared-models.read-examples',
      target: model.order.purposeId,
      outcome: 'done',
      requestId: id,
      details: { files, examples: lines.length, consent: next.consent },
    })
    await deps.bench.putLines(owner, { what: 'sample', tenantId }, lines)
    await deps.models.change(id, (before) =>
      withContributor(before, tenantId, (each) => ({ ...each, sample: { examples: lines.length, leftOut } })),
    )
    return { kind: 'not-yet', againAfterMs: 0 }
  }),
})
