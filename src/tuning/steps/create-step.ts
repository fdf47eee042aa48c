import { assert } from '../../base/assert'
import { done, type StepOutcome } from '../../checklists/checklist'
import type { AccountOrder } from '../account-tuning'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { become, markOf, type Sending, type TuningJob } from '../tuning-job'
import {
  fail,
  keepTurn,
  notYet,
  onJob,
  onJobToSend,
  pauseMs,
  say,
  saySilent,
  type TuningRun,
  undoOf,
} from '../tuning-run'
import { callOff } from '../take-back'
import { nextAfter, silentFault, SILENT_MS_MAX } from '../upstream-fault'

/**
 * After this a request for a job that got no answer has been heard or never will be (`SmallHttp` gives up before). Until then
 * an account that shows no job of ours may show one yet.
 */
const HEARD_MS_MAX = 90_000

/** Has the account make the job, once. */
export const createStep = (deps: TuningDeps): TuningStep => {
  const order = onJobToSend(deps, (run) => orderJob(deps, run, run.tenant.weight))
  return {
    id: 'create',
    timeoutMs: RUN_MS_MAX,
    attemptsMax: STEP_ATTEMPTS_MAX,
    do: (operation) =>
      onJob(deps, async (run) => {
        const { end, sending } = run.job
        if (end || sending?.jobId !== undefined) return done()
        // What may be there is found, wanted or not: only then can it be called off.
        if (sending?.askedAt !== undefined) return findJob(deps, run, sending.askedAt)
        return order(operation)
      })(operation),
    undo: undoOf(deps, async (run) =>
      (await callOff(deps, run)) ? done() : { kind: 'not-yet', againAfterMs: deps.pollMs },
    ),
  }
}

const send = ({ store }: TuningDeps, { scope, id }: TuningRun, edit: (sending: Sending) => Sending) =>
  store.change(scope, id, (job) => ({ ...job, sending: edit(job.sending ?? {}) }))
const notAsked = ({ askedAt: _, jobId: __, ...sending }: Sending): Sending => sending

/** The question is on record before it is asked, and taken back only where the account said no. */
async function orderJob(deps: TuningDeps, run: TuningRun, weight: number): Promise<StepOutcome> {
  const { scope, id, job } = run
  assert(job.account, 'an account was chosen first')
  if (!(await keepTurn(deps, run, { weight, pauseMs: pauseMs(deps, run) }))) return notYet(deps, run)
  const order = await accountOrder(deps, run)
  if (!order) return fail(deps, run, lostParent)
  let isAsking = false
  await deps.store.change(scope, id, (before) => {
    isAsking = !before.end && before.asked.cancelAt === undefined && before.asked.pauseAt === undefined
    return isAsking ? { ...before, sending: { ...before.sending, askedAt: deps.clock.now() } } : before
  })
  if (!isAsking) return { kind: 'not-yet', againAfterMs: 0 }

  const answer = await deps.accounts.create(job.account.account, order)
  switch (answer.kind) {
    case 'answer':
      await send(deps, run, (sending) => ({ ...sending, jobId: answer.value.id }))
      await say(deps, run, 'sent', 'The job was handed to the model account.')
      return done()
    case 'unsure':
      deps.log.warn('a training was asked for without a clear answer', { jobId: id, detail: answer.detail })
      return { kind: 'not-yet', againAfterMs: answer.againMs }
    // The account is full of jobs that are not ours to count.
    case 'full':
      await send(deps, run, notAsked)
      await say(deps, run, 'full', 'The model account has no room at the moment. Waiting.', 'warn')
      return notYet(deps, run, answer.againMs)
    case 'missing':
    case 'refused': {
      await send(deps, run, notAsked)
      const code = answer.kind === 'missing' ? 'not_found' : answer.code
      deps.log.warn('an account refused a training', { jobId: id, code })
      const message = 'The model account refused the job.'
      return fail(deps, run, { code, message, next: nextAfter(code) })
    }
  }
}

const lostParent = {
  code: 'model_not_found',
  message: 'The model that was to be trained further is gone.',
  param: 'model',
  next: 'Make a new job from a base model.',
}

/** Undefined where the model that it goes on from is gone. */
async function accountOrder({ registry }: TuningDeps, { scope, job }: TuningRun): Promise<AccountOrder | undefined> {
  const { order, sending } = job
  const parent = order.parent && (await registry.get(scope, order.parent))
  if (order.parent && !parent) return undefined
  assert(sending?.trainingFileId !== undefined, 'the files were sent first')
  return {
    model: parent ? parent.upstream.model : order.baseModel,
    trainingFileId: sending.trainingFileId,
    validationFileId: sending.validationFileId,
    suffix: markOf(job),
    order,
  }
}

/** The answer to the order was lost: the account's own list tells what became of it. */
async function findJob(deps: TuningDeps, run: TuningRun, askedAt: number): Promise<StepOutcome> {
  const { job } = run
  assert(job.account, 'an account was chosen first')
  const found = await deps.accounts.find(job.account.account, markOf(job))
  if (found.kind === 'answer') {
    await send(deps, run, (sending) => ({ ...sending, jobId: found.value.id }))
    await say(deps, run, 'sent', 'The job was handed to the model account.')
    return done()
  }
  if (found.kind !== 'missing') {
    if (deps.clock.now() - askedAt > SILENT_MS_MAX) return fail(deps, run, silentFault)
    await saySilent(deps, run)
    return notYet(deps, run)
  }
  const waitMs = askedAt + HEARD_MS_MAX - deps.clock.now()
  if (waitMs > 0) return { kind: 'not-yet', againAfterMs: Math.min(waitMs, pauseMs(deps, run)) }
  const again = await deps.store.change(run.scope, run.id, (before): TuningJob =>
    become({ ...before, sending: notAsked(before.sending ?? {}) }, 'queued'),
  )
  return again ? { kind: 'not-yet', againAfterMs: 0 } : done()
}
