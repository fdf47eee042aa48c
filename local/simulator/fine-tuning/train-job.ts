import { newHexId } from '../answer-id'
import { newFileId } from '../files/stored-file'
import { hashText, mixHash } from '../random'
import type { AccountStore } from '../stored/account-store'
import type { Charge } from './bill'
import type { JobPlan } from './job-plan'
import { nowSeconds, type StoredJob } from './stored-job'
import { checkpointName, tunedName } from './trainable-models'
import { metricsAt, resultsCsv } from './training-metrics'
import type { LearnedExample, TunedModel } from './tuned-model'

/** A progress event after so many steps, or more where there would be too many. */
const EVENT_STEPS = 10
const STEP_EVENTS_MAX = 200
const HOUR_MS = 3_600_000

/** Does the steps that are due at a time of the training clock, with their events and checkpoints. */
export function trainUntil(job: StoredJob, store: AccountStore, atMs: number): void {
  const { state, plan } = job
  if (state.kind !== 'training' || plan === undefined) return
  const { course, stepsPerEpoch, stepMs } = plan
  // Steps of a fractional length add up to a time that is a rounding error off.
  const due = state.fromStep + Math.floor((atMs - state.startedMs) / stepMs + 1e-6)
  const until = Math.min(due, state.stop?.step ?? course.steps, course.steps)
  const every = Math.max(EVENT_STEPS, Math.ceil(course.steps / STEP_EVENTS_MAX))
  for (let step = job.stepsDone + 1; step <= until; step++) {
    job.stepsDone = step
    if (step % every === 0 || step === course.steps) sayProgress(job, plan, step)
    if (step % stepsPerEpoch === 0) keepCheckpoint(job, store)
  }
}

function sayProgress(job: StoredJob, { course }: JobPlan, step: number): void {
  const metrics = metricsAt(course, step)
  const text =
    course.method === 'reinforcement'
      ? `train reward mean=${metrics['train_reward_mean']}`
      : `training loss=${metrics['train_loss']}`
  job.say(`Step ${step}: ${text}`, 'info', { step, total_steps: course.steps, ...metrics })
}

/** Keeps the model as it is after the last step: it can be deployed and trained further. */
export function keepCheckpoint(job: StoredJob, store: AccountStore): void {
  const { plan, order, stepsDone: step } = job
  if (plan === undefined || step === 0) return
  const id = checkpointName(tunedName(order.base, job.modelHex, order.suffix), step)
  const dropped = job.keepCheckpoint({
    id: newHexId('ftchkpt-', 32),
    createdAt: nowSeconds(),
    model: id,
    step,
    metrics: metricsAt(plan.course, step),
  })
  for (const { model } of dropped) store.models.delete(model)
  const learned = [...job.learnedBefore, ...learnedBy(plan, job.seed, step / plan.course.steps)]
  store.models.set(id, { ...modelOf(job), id, checkpointStep: step, learned })
}

/** Keeps the results and the model of a job that has done all of its steps. */
export function succeed(job: StoredJob, plan: JobPlan, store: AccountStore): void {
  const { order } = job
  const now = Date.now()
  const resultFileId = newFileId('service')
  store.files.set(resultFileId, {
    id: resultFileId,
    filename: 'results.csv',
    purpose: 'fine-tune-results',
    bytes: Buffer.from(resultsCsv(plan.course, job.stepsDone)),
    createdAt: now,
    expiresAt: undefined,
    processedAt: now,
  })
  const id = tunedName(order.base, job.modelHex, order.suffix)
  store.models.set(id, {
    ...modelOf(job),
    id,
    checkpointStep: undefined,
    learned: [...job.learnedBefore, ...plan.learned],
  })
  job.resultFileId = resultFileId
  job.fineTunedModel = id
  job.say(`Training tokens billed: ${plan.tokensAfter(job.stepsDone)}`)
  job.say('Model Evaluation Passed.')
  job.say(`Completed results file: ${resultFileId}`)
  job.say('Job succeeded.')
  job.become({ kind: 'succeeded' })
}

const modelOf = ({ id, order }: StoredJob): Pick<TunedModel, 'base' | 'jobId' | 'createdAt'> => ({
  base: order.base,
  jobId: id,
  createdAt: Date.now(),
})

/** What a job that was not failed by the service is charged; undefined where no step was done. */
export function chargeOf(account: string, { id, order, plan, stepsDone }: StoredJob): Charge | undefined {
  if (plan === undefined || stepsDone === 0) return undefined
  return {
    kind: 'training',
    account,
    jobId: id,
    model: order.base,
    method: order.method,
    trainingType: order.trainingType,
    trainedTokens: plan.tokensAfter(stepsDone),
    trainedHours: (stepsDone * plan.stepMs) / HOUR_MS,
  }
}

/** Which examples are known after a part of the training: ever the same ones, and more the further it is. */
function learnedBy({ learned }: JobPlan, seed: number, share: number): readonly LearnedExample[] {
  const isLearned = (index: number) => mixHash(mixHash(seed, index), hashText('learned')) / 4_294_967_296 < share
  return learned.filter((_example, index) => isLearned(index))
}
