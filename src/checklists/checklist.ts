import type { Orchestrations } from '../base/durable-steps'
import type { TenantId } from '../base/ids'
import type { Problem } from '../base/problem'

/**
 * Long work on one tenant as data: steps in order, each with what undoes it. `runChecklist` walks it as a durable
 * orchestration; the activity `runStep` does the work of one step.
 *
 * What a step must keep to (I16):
 * C1 `do` is idempotent under the operation's id: it may be run again after it has done its work, in part or whole.
 * C2 `undo` removes whatever `do` may have made, also when `do` never ran or broke off.
 * C3 Nothing secret goes in or out: input and results lie in the orchestration's history.
 */
export interface Checklist<Input> {
  /** Names the orchestration and, with `-step` behind it, its activity. */
  readonly name: string
  readonly steps: readonly ChecklistStep<Input>[]
  /** Whether a step that fails for good undoes what was done before it. Deleting cannot be undone, so it stops instead. */
  readonly onFailure: 'undo' | 'stop'
}

export interface ChecklistStep<Input> {
  /** Lower case with hyphens; stable, since it stands in statuses and histories. */
  readonly id: string
  /** From the step's first attempt to its end, waiting included; the same for its undo. */
  readonly timeoutMs: number
  /** Attempts that end with a thrown error, with growing pauses in between. */
  readonly attemptsMax: number
  /** Absent steps are shown as skipped. */
  readonly applies?: (input: Input) => boolean
  readonly do: (operation: Operation<Input>, host: StepHost) => Promise<StepOutcome>
  /** `not-yet` where what was made takes its time to go. */
  readonly undo?: (operation: Operation<Input>) => Promise<UndoOutcome | void>
}

/** What the activity's host offers beside the slices. */
export interface StepHost {
  readonly orchestrations: Pick<Orchestrations, 'purge' | 'running' | 'ended'>
}

export interface Operation<Input> {
  /** The instance's id, under which everything the operation makes is idempotent. */
  readonly operationId: string
  readonly tenantId: TenantId
  readonly input: Input
  /** When this step was first run, Unix milliseconds: for waits that count from then. */
  readonly stepStartedAt: number
  /** Set when the step asked for a decision and got one. */
  readonly decision?: Decision
}

export type StepOutcome =
  /** `facts` are shown in the operation's status. */
  | { readonly kind: 'done'; readonly facts?: Readonly<Record<string, string>> }
  /** Something slow is under way: the step is run again after so long. */
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
  /** The step waits for somebody's decision and is then run again with it. */
  | { readonly kind: 'needs-decision'; readonly timeoutMs: number }
  /** Trying again would not help. */
  | { readonly kind: 'failed'; readonly problem: Problem }

export type UndoOutcome = Extract<StepOutcome, { kind: 'done' | 'not-yet' }>

export const done = (facts?: Readonly<Record<string, string>>): Extract<StepOutcome, { kind: 'done' }> => ({
  kind: 'done',
  ...(facts ? { facts } : {}),
})

/** The event that brings a `Decision`. */
export const decisionEvent = 'decision'

export interface Decision {
  readonly approved: boolean
  readonly by: string
  readonly reason?: string | undefined
}
