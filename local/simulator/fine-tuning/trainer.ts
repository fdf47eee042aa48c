import { ServiceClock } from '../service-clock'
import type { AccountStore } from '../stored/account-store'
import { nowMs, type TickerWheel } from '../ticker-wheel'
import { Bill } from './bill'
import type { FineTuningConfig, JobStage } from './fine-tuning-config'
import { JobFaults } from './job-faults'
import { planJob, type JobPlan } from './job-plan'
import { harmfulModel, judgeFiles } from './judge-files'
import type { ScannedFile } from './scan-training-file'
import { nowSeconds, type JobState, type StoredJob, type Strike } from './stored-job'
import { chargeOf, keepCheckpoint, succeed, trainUntil } from './train-job'

/** A job at work, and whose it is. */
export interface JobRun {
  readonly account: string
  readonly store: AccountStore
  readonly job: StoredJob
  /** Set once the files have been read. */
  scanned: { readonly training: ScannedFile; readonly validation: ScannedFile | undefined } | undefined
}

/** How often jobs are looked after, of this machine's time. */
const TURN_MS = 20
const HOUR_MS = 3_600_000
/** Azure ends a training after so long. */
const TRAINING_MS_MAX = 720 * HOUR_MS
/** Reinforcement waits at 5,000 $, which are 50 hours at 100 $. */
const COST_PAUSE_MS = 50 * HOUR_MS

export interface TrainerDeps {
  readonly wheel: TickerWheel
  readonly config: () => FineTuningConfig
  /** A store that was forgotten is nobody's: what its jobs would still do concerns nobody. */
  readonly isKept: (account: string, store: AccountStore) => boolean
}

/**
 * Takes jobs from their creation to their end, by the training clock. Whatever is due is done in the order in which it
 * was due, so that a clock that jumps gives the same turns as one that runs.
 */
export class Trainer {
  readonly clock: ServiceClock
  readonly bill = new Bill()
  readonly #deps: TrainerDeps
  readonly #faults = new JobFaults()
  #runs: JobRun[] = []
  #turning = false
  /** When a place was last seen to become free. */
  #freedMs = 0

  constructor(deps: TrainerDeps) {
    this.#deps = deps
    this.clock = new ServiceClock(deps.config().speed)
  }

  /** Follows the configuration; faults are armed anew only when a patch names them. */
  configured(rearmFaults: boolean): void {
    const { speed, faults } = this.#deps.config()
    this.settle()
    this.clock.speed = speed
    if (rearmFaults) this.#faults.arm(faults)
  }

  clear(): void {
    this.#runs = []
    this.bill.clear()
  }

  /** The first state of a job. */
  firstState(): JobState {
    return this.#waiting('validating', this.clock.now(), this.#deps.config().validatingSeconds)
  }

  begin(run: JobRun): void {
    this.#runs.push(run)
    this.#turn()
  }

  /** Puts a paused job back in the queue. */
  resume(job: StoredJob): void {
    this.#queue(job, this.clock.now(), true)
    this.#turn()
  }

  pause(job: StoredJob): void {
    job.become({ kind: 'pausing', dueMs: this.clock.now() + this.#deps.config().pausingSeconds * 1_000 })
  }

  /** Work that was done is charged. */
  cancel({ account, job }: Pick<JobRun, 'account' | 'job'>): void {
    job.say('Job cancelled.')
    job.become({ kind: 'cancelled' })
    this.#freedMs = this.clock.now()
    this.#charge(account, job)
  }

  #succeed({ account, store, job }: JobRun, plan: JobPlan): void {
    succeed(job, plan, store)
    this.#charge(account, job)
  }

  /** Failed jobs are free, and so is waiting. */
  #charge(account: string, job: StoredJob): void {
    const charge = chargeOf(account, job)
    if (charge !== undefined) this.bill.add(charge)
  }

  /** Does everything that is due by now. */
  settle(): void {
    const now = this.clock.now()
    this.#forgetEnded()
    for (;;) {
      this.#giveTurns(now)
      const [next] = this.#runs
        .map((run) => ({ run, dueMs: this.#dueMs(run) }))
        .filter(({ dueMs }) => dueMs <= now)
        .toSorted((one, other) => one.dueMs - other.dueMs)
      if (next === undefined) break
      this.#advance(next.run, next.dueMs)
      this.#forgetEnded()
    }
    for (const { job, store } of this.#runs) trainUntil(job, store, now)
  }

  #forgetEnded(): void {
    const { isKept } = this.#deps
    this.#runs = this.#runs.filter(
      ({ account, store, job }) => isKept(account, store) && store.jobs.get(job.id) === job && !job.isOver,
    )
  }

  /** When a job will have ended, in Unix seconds; null where nobody can tell. */
  finishesAt({ state, plan, stepsDone }: StoredJob): number | null {
    const trainedMs = (fromStep: number) => (plan === undefined ? 0 : (plan.course.steps - fromStep) * plan.stepMs)
    const finishingMs = this.#deps.config().finishingSeconds * 1_000
    const endMs = () => {
      if (state.kind === 'starting') return state.dueMs + trainedMs(stepsDone) + finishingMs
      if (state.kind === 'training') return state.startedMs + trainedMs(state.fromStep) + finishingMs
      return state.kind === 'finishing' ? state.dueMs : Number.POSITIVE_INFINITY
    }
    const leftMs = this.clock.realMs(Math.max(0, endMs() - this.clock.now()))
    return Number.isFinite(leftMs) ? nowSeconds() + Math.ceil(leftMs / 1_000) : null
  }

  /** Looks after the jobs as long as there are any. */
  #turn(): void {
    if (this.#turning) return
    this.#turning = true
    this.#deps.wheel.at(nowMs() + TURN_MS, () => {
      this.#turning = false
      this.settle()
      if (this.#runs.some(({ job }) => job.state.kind !== 'paused')) this.#turn()
    })
  }

  /** When something happens to a job; infinite where nothing will by itself. */
  #dueMs({ job, scanned }: JobRun): number {
    const { state, plan } = job
    switch (state.kind) {
      case 'validating':
        return scanned === undefined ? Number.POSITIVE_INFINITY : state.dueMs
      case 'starting':
      case 'finishing':
      case 'pausing':
        return state.dueMs
      case 'queued':
        return state.strike === undefined || state.strike.kind === 'stick' ? Number.POSITIVE_INFINITY : state.sinceMs
      case 'training':
        if (plan === undefined || state.stop?.strike.kind === 'stick') return Number.POSITIVE_INFINITY
        return state.startedMs + ((state.stop?.step ?? plan.course.steps) - state.fromStep) * plan.stepMs
      default:
        return Number.POSITIVE_INFINITY
    }
  }

  /** Lets the jobs train whose turn it is: of each account in the order in which they were queued. */
  #giveTurns(now: number): void {
    const { concurrentJobsMax, developerJobsMax, startingSeconds } = this.#deps.config()
    const queued = this.#runs.filter(({ job: { state } }) => state.kind === 'queued' && state.strike === undefined)
    for (const run of queued.toSorted((one, other) => queuedMs(one) - queuedMs(other))) {
      const { job, store } = run
      const isAlike = (other: JobRun) => other.store === store && isDeveloper(other.job) === isDeveloper(job)
      const training = this.#runs.filter((other) => isAlike(other) && occupies(other.job))
      if (training.length >= (isDeveloper(job) ? developerJobsMax : concurrentJobsMax)) continue
      const atMs = Math.max(queuedMs(run), this.#freedMs)
      if (!this.#hasFiles(run)) continue
      if (job.stepsDone === 0) job.say('Job started.')
      job.become(this.#waiting('starting', Math.min(now, atMs), startingSeconds))
    }
  }

  #hasFiles({ store, job }: JobRun): boolean {
    const { trainingFileId, validationFileId } = job.order
    const missing = [trainingFileId, validationFileId].find((id) => id !== null && !store.files.has(id))
    if (missing === undefined) return true
    const param = missing === trainingFileId ? 'training_file' : 'validation_file'
    job.fail({ code: 'notFound', message: `The file '${missing}' was not found.`, param })
    return false
  }

  /** Does the one thing that is due. */
  #advance(run: JobRun, dueMs: number): void {
    const { job, scanned } = run
    const { state, plan } = job
    this.#freedMs = dueMs
    const strike = 'strike' in state ? state.strike : undefined
    if (strike !== undefined) return this.#strike(run, strike, dueMs)
    switch (state.kind) {
      case 'validating':
        return scanned && this.#judge(run, scanned, dueMs)
      case 'starting':
        return plan && this.#startTraining(run, plan, dueMs)
      case 'training':
        trainUntil(job, run.store, dueMs)
        if (state.stop !== undefined) return this.#strike(run, state.stop.strike, dueMs)
        return job.become(this.#waiting('finishing', dueMs, this.#deps.config().finishingSeconds))
      case 'pausing':
        keepCheckpoint(job, run.store)
        job.say('Job paused.')
        return job.become({ kind: 'paused' })
      case 'finishing':
        if (plan?.harmful === true) return job.fail(harmfulModel)
        return plan && this.#succeed(run, plan)
      default:
        return undefined
    }
  }

  #strike(run: JobRun, strike: Strike, dueMs: number): void {
    const { job, store } = run
    switch (strike.kind) {
      case 'fail':
        return job.fail(strike.error)
      case 'lose':
        for (const { model } of job.checkpoints) store.models.delete(model)
        return void store.jobs.delete(job.id)
      case 'cost':
        job.costPaused = true
        job.say('The job was paused because it has reached the cost limit of $5,000.', 'warning')
        return job.become({ kind: 'pausing', dueMs })
      case 'stick':
        return
    }
  }

  #judge({ job }: JobRun, scanned: NonNullable<JobRun['scanned']>, atMs: number): void {
    const error = judgeFiles(job.order, scanned)
    if (error !== undefined) return job.fail(error)
    const { cutExamples } = scanned.training
    if (cutExamples > 0) job.say(`${cutExamples} examples are longer than the model reads, and were cut.`, 'warning')
    job.plan = planJob(job, scanned, this.#deps.config())
    this.#queue(job, atMs, false)
  }

  #queue(job: StoredJob, sinceMs: number, again: boolean): void {
    job.become({ kind: 'queued', sinceMs, again, strike: this.#faults.take('queued')?.strike })
  }

  #waiting(kind: 'validating' | 'starting' | 'finishing', fromMs: number, seconds: number): JobState {
    const strike = this.#faults.take(kind satisfies JobStage)?.strike
    const dueMs = strike?.kind === 'stick' ? Number.POSITIVE_INFINITY : fromMs + seconds * 1_000
    return { kind, dueMs, strike }
  }

  #startTraining({ job }: JobRun, { stepMs, course }: JobPlan, startedMs: number): void {
    if (job.stepsDone === 0) job.say('Training started.')
    const fault = this.#faults.take('training')
    const stops = [
      ...(fault ? [{ step: Math.max(fault.step, job.stepsDone + 1), strike: fault.strike }] : []),
      { step: Math.ceil(TRAINING_MS_MAX / stepMs), strike: { kind: 'fail', error: tooLong } as const },
      ...(course.method === 'reinforcement' && !job.costPaused
        ? [{ step: Math.ceil(COST_PAUSE_MS / stepMs), strike: { kind: 'cost' } as const }]
        : []),
    ]
    const [stop] = stops.filter(({ step }) => step < course.steps).toSorted((one, other) => one.step - other.step)
    job.become({ kind: 'training', startedMs, fromStep: job.stepsDone, stop: stop ?? lastStep(fault, course.steps) })
  }
}

const tooLong = {
  code: 'quotaExceeded',
  message: 'The job was ended because it has trained for 720 hours.',
  param: null,
}
const isDeveloper = ({ order }: StoredJob) => order.trainingType === 'developerTier'
const queuedMs = ({ job: { state } }: JobRun) => (state.kind === 'queued' ? state.sinceMs : Number.POSITIVE_INFINITY)

/** A fault of a step that the training does not come to strikes at its last one. */
const lastStep = (fault: ReturnType<JobFaults['take']>, step: number) => fault && { step, strike: fault.strike }

/** It trains, and nobody else can in its place. */
function occupies({ state: { kind } }: StoredJob): boolean {
  return kind === 'starting' || kind === 'training' || kind === 'finishing' || kind === 'pausing'
}
