import { z } from 'zod'

const SPEED_MAX = 1_000_000_000
const SECONDS_MAX = 30 * 86_400
const FAULTS_MAX = 32

/** Where a job can be struck. `training` is after its `step`th step. */
export const jobStages = ['validating', 'queued', 'starting', 'training', 'finishing'] as const
export type JobStage = (typeof jobStages)[number]

const fault = z.strictObject({
  /** `fail` ends the job as failed, `lose` takes it away as if it had never been, `stick` keeps it where it is for ever. */
  kind: z.enum(['fail', 'lose', 'stick']).default('fail'),
  at: z.enum(jobStages),
  /** Of the training; later ones meet it too. */
  step: z.int().min(1).default(1),
  code: z.string().min(1).default('internalFailure'),
  message: z.string().min(1).default('The job failed because the simulator was told to.'),
  /** How many jobs meet it. */
  next: z.int().min(0).default(1),
})

/** How training goes. Seconds are the service's own, of which `speed` pass in one second here. */
export const fineTuningSchema = z.strictObject({
  /** Zero stands still. */
  speed: z.number().min(0).max(SPEED_MAX).default(600),
  validatingSeconds: z.number().min(0).max(SECONDS_MAX).default(60),
  /** From its turn to its first step. */
  startingSeconds: z.number().min(0).max(SECONDS_MAX).default(600),
  tokensPerSecond: z.number().min(1).default(1_000),
  /** A step takes so long even where it has few tokens. */
  stepSecondsMin: z.number().min(0).max(SECONDS_MAX).default(5),
  /** Evaluation of the tuned model, and keeping it. */
  finishingSeconds: z.number().min(0).max(SECONDS_MAX).default(120),
  /** From the request for a pause to its checkpoint. */
  pausingSeconds: z.number().min(0).max(SECONDS_MAX).default(30),
  /** Jobs of one account that train at once, those of the developer type counted by themselves. */
  concurrentJobsMax: z.int().min(1).max(1_000).default(3),
  developerJobsMax: z.int().min(1).max(1_000).default(5),
  queuedJobsMax: z.int().min(0).max(10_000).default(20),
  jobsMax: z.int().min(1).max(10_000).default(100),
  /** The status of a refusal for want of room, which no page names. */
  quotaStatus: z.union([z.literal(400), z.literal(429)]).default(400),
  /** Whether a file with faulty lines fails the job that reads it, or is an error by itself. Both have been seen. */
  faultyFiles: z.enum(['fail-jobs', 'are-errors']).default('fail-jobs'),
  /** Whether a file that an unfinished job reads can be deleted, which no page says. */
  filesInUse: z.enum(['kept', 'deleted']).default('kept'),
  /** Who may train by token on an account of its own; `contributor` is Azure's rule. */
  role: z.enum(['contributor', 'any']).default('contributor'),
  faults: z.array(fault).max(FAULTS_MAX).default([]),
})

export type FineTuningConfig = z.infer<typeof fineTuningSchema>
export type JobFaultRule = FineTuningConfig['faults'][number]
