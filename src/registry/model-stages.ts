import type { CallerId, FileId, KeyId, ModelId, TuningJobId } from '../base/ids'
import type { Problem } from '../base/problem'
import type { Decision } from '../checklists/checklist'
import type { TenantScope } from '../storage/tenant-scope'
import type { Budgets } from '../tenants/budget'
import type { OwnLimits } from '../tenants/snapshot'
import type { RouteBounds } from './judge-route'

/**
 * What follows a training that somebody asked for: evaluation, the gate, the route. Each is asked again and again under the
 * same job and model until it says that it is over, and has to go on where it was (C1).
 */
export interface ModelStages {
  readonly evaluate?: ModelStage<EvaluationWish> | undefined
  readonly gate?: ModelStage<GateWish> | undefined
  readonly route?: ModelStage<RouteWish> | undefined
}

export interface ModelStage<Wish> {
  /** What stands in its way before there is a model: told when a job is asked for rather than when it is trained. */
  check?(scope: TenantScope, asked: { readonly wish: Wish; readonly baseModel: string }): Promise<Problem | undefined>
  do(stage: StageOf<Wish>): Promise<StageOutcome>
  /** Takes back what `do` may have made, also where it never ran. */
  undo?(stage: StageOf<Wish>): Promise<StageUndone>
}

export interface StageOf<Wish> {
  readonly scope: TenantScope
  readonly jobId: TuningJobId
  /** Of this attempt of the job: what a stage makes is told by it from what an earlier attempt has made and taken back. */
  readonly operationId: string
  readonly modelId: ModelId
  readonly wish: Wish
  /** Who asked for the job: what a stage calls is admitted and charged as theirs. */
  readonly by: StageCaller
  /** Unix milliseconds. */
  readonly startedAt: number
  /** Once the stage has asked for one and got it. */
  readonly decision?: Decision | undefined
}

export interface StageCaller {
  readonly callerId: CallerId
  readonly keyId?: KeyId | undefined
  readonly limits?: OwnLimits | undefined
  readonly budgets?: Budgets | undefined
}

export type StageOutcome =
  /** `said` goes among the job's events. */
  | { readonly kind: 'done'; readonly said?: string }
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
  /** Somebody has to approve; asked again with the decision, or the job ends at its timeout. */
  | { readonly kind: 'needs-decision'; readonly timeoutMs: number }
  /** The model stays registered and is not led to; the job says why. */
  | { readonly kind: 'refused'; readonly problem: Problem }

export type StageUndone = Extract<StageOutcome, { kind: 'done' | 'not-yet' }>

/** The same held-out set is put to the tuned model and to its base. */
export interface EvaluationWish {
  /** In the form of a file for fine-tuning; the last answer of each example is what is wanted. */
  readonly fileId: FileId
  /** Examples that are put to each; absent: as many as the platform usually takes. */
  readonly sampleMax?: number | undefined
  /** The prompt by which a model grades answers, where one is to. */
  readonly grader?: GraderWish | undefined
  /** Of so many examples the answers themselves are kept to be looked at; absent: of none. */
  readonly answersKept?: number | undefined
}

export interface GraderWish {
  readonly alias: string
  readonly prompt: string
}

export type GateWish =
  | { readonly kind: 'threshold'; readonly metric: string; readonly scoreMin: number }
  | { readonly kind: 'approval'; readonly timeoutHours: number }

/** An alias of the tenant's leads to the model step by step. */
export interface RouteWish {
  readonly alias: string
  /** Rising, each for its time; 100 at the end. */
  readonly steps: readonly { readonly percent: number; readonly minutes: number }[]
  /** Back to what it was, where calls to the model turn out worse than the others by more than that. */
  readonly rollBackOn?: RouteBounds | undefined
}
