import type { Alerts } from '../alerts/alerts'
import type { Clock } from '../base/clock'
import { assertNever } from '../base/assert'
import type { ModelId } from '../base/ids'
import type { ModelVersion } from '../registry/model-version'
import type { TenantScope } from '../storage/tenant-scope'
import { daysUntil, type DriftBaseline, type DriftState } from './drift-records'
import { WINDOW_DAYS_MAX, type DriftWatching } from './drift-settings'
import type { DriftStore } from './drift-store'
import { readWindow, type DriftWindow } from './drift-window'
import { compareFeatures, judgeDrift, type ComparedFeature } from './judge-drift'
import { isBaselineDue, makeBaseline, type MakeBaselineDeps } from './make-baseline'
import { retrain, type RetrainDeps } from './retrain'

export interface WatchModelDeps extends MakeBaselineDeps, Omit<RetrainDeps, 'store'> {
  readonly store: DriftStore
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
  readonly clock: Clock
}

/** One look at a model: its baseline is there, its calls are compared with it, and what follows is done. It can be repeated. */
export async function watchModel(
  deps: WatchModelDeps,
  scope: TenantScope,
  { model, watching }: { readonly model: ModelVersion; readonly watching: DriftWatching },
): Promise<void> {
  const { store, clock, alerts } = deps
  const baseline = await baselineOf(deps, scope, { model, watching })
  const nowMs = clock.now()
  const oldest = daysUntil(nowMs, WINDOW_DAYS_MAX + 1).at(-1)
  if (oldest !== undefined) await store.removeBefore(scope, model.id, oldest)
  const { compared } = await compareModel(store, scope, { modelId: model.id, baseline, watching, nowMs })
  const judged = await store.changeState(scope, model.id, (before) => judgedState(before, compared, nowMs))
  switch (judged.verdict.kind) {
    case 'steady':
      return alerts.resolve(driftAlertId(model.id))
    case 'drifted': {
      const state = await retrain(deps, scope, { model, state: judged })
      return alerts.raise({
        id: driftAlertId(model.id),
        kind: 'model-drift',
        severity: 'notice',
        tenantId: scope.tenantId,
        audience: 'tenant',
        title: `What ${model.name} is asked has drifted from what it was trained on`,
        detail: describe(model, compared, state),
      })
    }
    default:
      return assertNever(judged.verdict)
  }
}

export const driftAlertId = (id: ModelId) => `drift/${id}`

/** A verdict that is new, or over, begins anew with what is done about it. */
function judgedState(before: DriftState, compared: readonly ComparedFeature[], nowMs: number): DriftState {
  const verdict = judgeDrift(before.verdict, compared, nowMs)
  const isSame = verdict.kind === before.verdict.kind
  return { ...before, judgedAt: nowMs, verdict, retraining: isSame ? before.retraining : { kind: 'none' } }
}

async function baselineOf(
  deps: WatchModelDeps,
  scope: TenantScope,
  { model, watching }: { model: ModelVersion; watching: DriftWatching },
): Promise<DriftBaseline> {
  const { store, measure, clock } = deps
  const { topicsAlias } = watching
  const known = await store.baseline(scope, model.id)
  if (known && !isBaselineDue(known, { measure, topicsAlias, nowMs: clock.now() })) return known
  const baseline = await makeBaseline(deps, scope, { model, topicsAlias })
  return store.putBaseline(scope, model.id, { known, baseline })
}

/** What can be said of a model now: for the timer that judges it, and for whoever looks. */
export async function compareModel(
  store: Pick<DriftStore, 'dayCounts'>,
  scope: TenantScope,
  {
    modelId,
    baseline,
    watching,
    nowMs,
  }: { modelId: ModelId; baseline: DriftBaseline | undefined; watching: DriftWatching; nowMs: number },
): Promise<{ readonly window: DriftWindow; readonly compared: readonly ComparedFeature[] }> {
  const state = baseline?.state.kind === 'made' ? baseline.state : undefined
  const topicsId = state?.topics.kind === 'made' ? state.topics.map.id : undefined
  const basis = { measure: baseline?.measure ?? '', topicsId }
  const window = await readWindow(store, scope, { modelId, nowMs, days: watching.windowDays, basis })
  return { window, compared: state ? compareFeatures(state.counts, window.counts, watching.bounds) : [] }
}

/** Numbers and names of features: no labels, which may be the tenant's own business. */
function describe(
  { id }: ModelVersion,
  compared: readonly ComparedFeature[],
  { verdict, retraining }: DriftState,
): string {
  const since = verdict.kind === 'drifted' ? verdict.features : []
  const indexes = compared
    .filter(({ feature }) => since.includes(feature))
    .map(({ feature, index, samples }) => `${feature} ${index.toFixed(2)} over ${samples} calls`)
  return `Stability indexes: ${indexes.join(', ')}. ${whatNext(retraining)} See GET /api/tenant/models/${id}/drift.`
}

function whatNext(retraining: DriftState['retraining']): string {
  switch (retraining.kind) {
    case 'started':
      return `The job ${retraining.jobId} trains it further with the newest data.`
    case 'starting':
      return 'A training with the newest data begins.'
    case 'none':
    case 'proposed':
      return 'It should be trained again, with examples of what it is asked now.'
    default:
      return assertNever(retraining)
  }
}
