import { done } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import { onBuild, undoOf } from '../build-run'
import { collectContributors } from '../collect-contributors'
import { retrain } from '../objections'
import { newestText } from '../purpose'
import type { SharedModel } from '../shared-model'
import { ATTEMPTS_MAX, BUILD_MS_MAX, type SharedModelDeps, type SharedModelStep } from '../shared-model-deps'
import { failed } from '../fail-build'
import { tooFew } from '../start-shared-model'

/** Who consents now. From here on each of them stands in the model's record, and the model under each of them. */
export const collectStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'collect',
  timeoutMs: BUILD_MS_MAX,
  attemptsMax: ATTEMPTS_MAX,
  do: onBuild(deps, async ({ id, model }) => {
    if (model.contributors.length > 0) return done()
    const purpose = await deps.purposes.get(model.order.purposeId)
    const contributors = purpose ? await collectContributors(deps, purpose, id) : []
    if (!purpose || contributors.length < model.order.tenantsMin)
      return failed(deps, id, tooFew(contributors.length, model.order.tenantsMin))
    for (const { tenantId } of contributors) if (tenantId) await deps.models.note(TenantScope.ofPlatform(tenantId), id)
    const { version: textVersion } = newestText(purpose)
    await deps.models.change(id, (before) =>
      before.contributors.length > 0 ? before : { ...before, contributors, textVersion, region: purpose.region },
    )
    return done({ tenants: String(contributors.length) })
  }),
  // The last that is undone: nothing of the build is left, and another one may begin.
  undo: undoOf(deps, async ({ id, model }) => {
    const ended = await deps.models.change(id, (before) =>
      before.state.kind === 'building'
        ? { ...before, state: { kind: 'failed', atMs: deps.clock.now(), ...faultOf(before) } }
        : before,
    )
    if (!ended) return done()
    if (model.affected) {
      await retrain(deps, model, 'platform')
      return done()
    }
    const { code, message } = faultOf(ended)
    await deps.alerts.raiseOnce({
      id: `shared-model-failed/${id}`,
      kind: 'shared-model-failed',
      severity: 'warning',
      tenantId: undefined,
      title: `The shared model ${id} could not be made`,
      detail: `${code}. ${message}`,
    })
    return done()
  }),
})

/** Steps that fail on their own account say why; otherwise the checklist's own status does. */
const faultOf = ({ fault, affected }: SharedModel) =>
  affected
    ? { code: 'consent_withdrawn', message: 'A tenant withdrew its consent while the model was built.' }
    : (fault ?? {
        code: 'internal_error',
        message: 'The build could not be brought to its end; its operation says why.',
      })
