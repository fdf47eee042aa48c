import { assert } from '../../base/assert'
import { done, type StepOutcome } from '../../checklists/checklist'
import type { AccountJob } from '../account-job'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { mirrored, type Words } from '../tuning-events'
import { become, ending, type SeenJob, type TuningJob } from '../tuning-job'
import { fail, holdEstimate, keepTurn, notYet, onJob, pauseMs, say, saySilent, type TuningRun } from '../tuning-run'
import { modelNameOf } from '../tuning-view'
import { lostFault, silentFault, SILENT_MS_MAX, upstreamFault } from '../upstream-fault'

/** Looks at the training until it is over, shows what it says, and does to it what its owner asks. */
export const followStep = (deps: TuningDeps): TuningStep => ({
  id: 'follow',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJob(deps, async (run) => {
    const { job } = run
    const { account, sending } = job
    if (job.end || job.seen?.status === 'succeeded') return done()
    assert(account && sending?.jobId !== undefined, 'the account has made the job')
    const answer = await deps.accounts.get(account.account, sending.jobId)
    if (answer.kind === 'missing') {
      await deps.store.change(run.scope, run.id, (before) => ending(before, 'failed', lostFault))
      return done()
    }
    if (answer.kind !== 'answer') return waitForAnswer(deps, run)
    await mirror(deps, run, answer.value)
    const seen = await look(deps, run, answer.value)
    if (!seen || seen.end || seen.seen?.status === 'succeeded') return done()
    await steer(deps, { ...run, job: seen }, answer.value)
    return stay(deps, run)
  }),
})

/** An outage is sat out: the training goes on meanwhile, or does not, and its account knows which. */
async function waitForAnswer(deps: TuningDeps, run: TuningRun): Promise<StepOutcome> {
  const since = Math.max(run.job.seen?.shownAt ?? 0, run.stepStartedAt)
  if (deps.clock.now() - since > SILENT_MS_MAX) return fail(deps, run, silentFault)
  await saySilent(deps, run)
  return stay(deps, run)
}

/** It keeps what it holds; of its turn only what trains does. */
async function stay(deps: TuningDeps, run: TuningRun): Promise<StepOutcome> {
  const { scope, id, job } = run
  const tenant = await deps.tenantOf(scope.tenantId)
  if (job.seen?.status === 'paused' && job.account) await deps.turns.leave(job.account.resourceId, id)
  else await keepTurn(deps, run, { weight: tenant?.weight ?? 1, pauseMs: pauseMs(deps, run) })
  await holdEstimate(deps, run, tenant)
  return notYet(deps, run)
}

/** What of it is seen is on record before anything is done about it. */
async function look(deps: TuningDeps, { scope, id }: TuningRun, job: AccountJob): Promise<TuningJob | undefined> {
  const nowMs = deps.clock.now()
  return deps.store.change(scope, id, (before) => {
    const next = { ...before, seen: seenOf(before.seen, job, nowMs) }
    switch (job.status) {
      case 'failed':
        return ending(next, 'failed', upstreamFault(job.error, wordsOf(before, job)))
      case 'cancelled':
        // Nobody of ours has asked for it: an operator has, at the account.
        return ending(next, 'cancelled')
      case 'paused':
        // A training by the hour is paused by its provider when it has cost so much.
        return become(
          before.seen?.status === 'paused' || before.asked.pauseAt !== undefined
            ? next
            : { ...next, asked: { ...next.asked, pauseAt: nowMs } },
          'paused',
        )
      case 'running':
      case 'pausing':
      case 'succeeded':
        return become(next, 'running')
      case 'waiting':
        return become(next, 'queued')
    }
  })
}

function seenOf(before: SeenJob | undefined, job: AccountJob, nowMs: number): SeenJob {
  const isBegun = job.status === 'running' || job.status === 'succeeded'
  return {
    status: job.status,
    shownAt: nowMs,
    startedAt: before?.startedAt ?? (isBegun ? nowMs : undefined),
    finishedAt: job.finishedAt,
    trainedTokens: job.trainedTokens,
    estimatedFinish: job.estimatedFinish,
    model: job.model,
    resultFileIds: job.resultFileIds,
    hyperparameters: job.hyperparameters,
    seed: job.seed,
  }
}

/** What its owner has asked for, or that its tenant goes. A refusal means that it is otherwise by now: the next look shows it. */
async function steer(deps: TuningDeps, { scope, job }: TuningRun, { id, status }: AccountJob): Promise<void> {
  assert(job.account, 'an account was chosen first')
  const { account } = job.account
  const tenant = await deps.tenantOf(scope.tenantId)
  const isGoing = !tenant || tenant.state === 'offboarding'
  if (isGoing || job.asked.cancelAt !== undefined) {
    await deps.accounts.act(account, id, 'cancel')
    return
  }
  if (job.asked.pauseAt !== undefined && status === 'running') await deps.accounts.act(account, id, 'pause')
  if (job.asked.pauseAt !== undefined || status !== 'paused') return
  // A place that it gave up is waited for like any other.
  const run = { scope, id: job.id, job }
  if (await keepTurn(deps, run, { weight: tenant.weight, pauseMs: deps.pollMs }))
    await deps.accounts.act(account, id, 'resume')
}

/** Events and checkpoints as they come; what cannot be had now comes with the next look. */
async function mirror(deps: TuningDeps, run: TuningRun, job: AccountJob): Promise<void> {
  const { scope, id } = run
  assert(run.job.account, 'an account was chosen first')
  const { account } = run.job.account
  const known = (await deps.events.list(scope, id)).findLast(({ source }) => source !== undefined)
  const events = await deps.accounts.events(account, job.id, known?.source)
  const words = wordsOf(run.job, job)
  if (events.kind === 'answer')
    await deps.events.add(
      scope,
      id,
      events.value.toReversed().map((event) => mirrored(id, event, words)),
    )
  const checkpoints = await deps.accounts.checkpoints(account, job.id)
  if (checkpoints.kind === 'answer' && checkpoints.value.length > 0)
    await deps.events.putCheckpoints(scope, id, checkpoints.value)
  if (job.status === 'paused' && run.job.seen?.status !== 'paused') await say(deps, run, 'paused', 'The job is paused.')
}

/** What the account calls its things, and what they are here. */
function wordsOf(job: TuningJob, { id, model, resultFileIds }: AccountJob): Words {
  const { order, sending } = job
  return [
    ...(model === undefined ? [] : ([[model, modelNameOf(job)]] as const)),
    [id, job.id],
    ...(sending?.trainingFileId === undefined ? [] : ([[sending.trainingFileId, order.trainingFileId]] as const)),
    ...(sending?.validationFileId === undefined || order.validationFileId === undefined
      ? []
      : ([[sending.validationFileId, order.validationFileId]] as const)),
    ...resultFileIds.map((fileId) => [fileId, job.resultFileId ?? 'the results'] as const),
  ]
}
