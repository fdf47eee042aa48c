import { done } from '../../checklists/checklist'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { operationOf, type TuningMetering } from '../tuning-job'
import { onJob } from '../tuning-run'
import { isCharged, trainingEntry } from '../training-entry'

/** What was trained counts once in the usage log (I8), and the account's place is free for others. */
export const meterStep = (deps: TuningDeps): TuningStep => ({
  id: 'meter',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJob(deps, async ({ scope, id, job }) => {
    if (job.account) await deps.turns.leave(job.account.resourceId, id)
    if (!isCharged(job) || job.metering?.used) return done()
    const claimed = await deps.store.change(scope, id, (before) =>
      before.metering ? before : { ...before, metering: { atMs: deps.clock.now(), sequence: 0 } },
    )
    const claim = claimed?.metering
    if (!claim) return done()
    const { atMs, sequence } = claim
    const entry = trainingEntry(job, { tenantId: scope.tenantId, atMs, prices: deps.trainingPricesAt(atMs) })
    const { costMicroUsd, usage } = entry.settlement
    if (costMicroUsd === undefined)
      deps.budgetWarnings.unpriced({ tenantId: scope.tenantId, model: job.order.baseModel }, atMs)
    const result = await deps.lateUsage.record({ id: operationOf(job).replaceAll('-', '_'), atMs, sequence }, [entry])
    const counts = result.kind === 'recorded' || result.entries > 0
    const next: TuningMetering = counts
      ? { ...claim, used: { tokens: usage.promptTokens, microUsd: costMicroUsd ?? 0 } }
      : { atMs: deps.clock.now(), sequence: sequence + 1 }
    await deps.store.change(scope, id, (before) =>
      // Who was slower with the same claim has the same to say.
      before.metering?.sequence === sequence && !before.metering.used ? { ...before, metering: next } : before,
    )
    return next.used ? done() : { kind: 'not-yet', againAfterMs: 0 }
  }),
})
