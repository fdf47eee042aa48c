import { assert } from '../base/assert'
import { parseTuningJobId, type InstanceId, type TuningJobId } from '../base/ids'
import type { Problem } from '../base/problem'
import type { BudgetSubject } from '../budgets/budget-store'
import type { HoldResult } from '../budgets/standing-holds'
import { done, type Operation, type StepOutcome, type UndoOutcome } from '../checklists/checklist'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import type { TuningDeps, TuningInput, TuningStep } from './tuning-deps'
import { ownEvent } from './tuning-events'
import { become, ending, type TuningFault, type TuningJob } from './tuning-job'

/** One job as its steps have it. */
export interface TuningRun {
  readonly scope: TenantScope
  readonly id: TuningJobId
  readonly job: TuningJob
  /** When this step began, Unix milliseconds. */
  readonly stepStartedAt: number
}

type Do = (operation: Operation<TuningInput>) => Promise<StepOutcome>

/** A job whose record is gone, with its tenant, has nothing to do any more. */
export const onJob =
  (deps: Pick<TuningDeps, 'store'>, work: (run: TuningRun) => Promise<StepOutcome>): Do =>
  async ({ tenantId, operationId, stepStartedAt }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const id = jobIdOf(operationId)
    const job = await deps.store.get(scope, id)
    return job ? work({ scope, id, job, stepStartedAt }) : done()
  }

/** The same for a step that makes something: only while the job is wanted, by a tenant that is active. */
export const onJobWanted = (
  deps: TuningDeps,
  work: (run: TuningRun & { readonly tenant: TenantSnapshot }) => Promise<StepOutcome>,
): Do =>
  onJob(deps, async (run) => {
    const { scope, job } = run
    if (job.end) return done()
    const tenant = await deps.tenantOf(scope.tenantId)
    // Whoever goes wants nothing more to be made.
    const isGoing = !tenant || tenant.state === 'offboarding'
    if (isGoing || job.asked.cancelAt !== undefined) {
      await deps.store.change(scope, run.id, (before) => ending(before, 'cancelled'))
      return done()
    }
    if (tenant.state !== 'active') return { kind: 'not-yet', againAfterMs: pauseMs(deps, run) }
    return work({ ...run, tenant })
  })

/** And before it is sent: not while its owner has paused it, who keeps no turn meanwhile. */
export const onJobToSend = (
  deps: TuningDeps,
  work: (run: TuningRun & { readonly tenant: TenantSnapshot }) => Promise<StepOutcome>,
): Do =>
  onJobWanted(deps, async (run) => {
    const { scope, id, job } = run
    if (job.asked.pauseAt === undefined || job.sending?.askedAt !== undefined) return work(run)
    if (job.account) await deps.turns.leave(job.account.resourceId, id)
    await deps.store.change(scope, id, (before) =>
      before.asked.pauseAt === undefined ? before : become(before, 'paused'),
    )
    return { kind: 'not-yet', againAfterMs: pauseMs(deps, run) }
  })

/** What is undone of a job whose checklist gave up. */
export const undoOf =
  (
    deps: Pick<TuningDeps, 'store'>,
    work: (run: Omit<TuningRun, 'stepStartedAt'>) => Promise<UndoOutcome | void>,
  ): NonNullable<TuningStep['undo']> =>
  async ({ tenantId, operationId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const id = jobIdOf(operationId)
    const job = await deps.store.get(scope, id)
    return job && work({ scope, id, job })
  }

/** Decides that the job has failed; the steps that make something pass it over, those that tidy up go on. */
export async function fail(
  { store }: Pick<TuningDeps, 'store'>,
  { scope, id }: Pick<TuningRun, 'scope' | 'id'>,
  fault: Omit<TuningFault, 'param'> & { readonly param?: string | null },
): Promise<StepOutcome> {
  await store.change(scope, id, (job) => ending(job, 'failed', { param: null, ...fault }))
  return done()
}

export const failBy = (deps: Pick<TuningDeps, 'store'>, run: TuningRun, problem: Problem, next: string) =>
  fail(deps, run, { code: problem.code, message: problem.public, param: problem.param ?? null, next })

/** One of the platform's events; once for each `what` of an attempt. */
export async function say(
  { events, clock }: Pick<TuningDeps, 'events' | 'clock'>,
  { scope, id, job }: Pick<TuningRun, 'scope' | 'id' | 'job'>,
  what: string,
  message: string,
  level: 'info' | 'warn' | 'error' = 'info',
): Promise<void> {
  await events.add(scope, id, [ownEvent(id, `${job.attempt}/${what}`, { createdAt: clock.now(), message, level })])
}

/** Whoever looks at the job learns why nothing happens. */
export const saySilent = (deps: Pick<TuningDeps, 'events' | 'clock'>, run: Pick<TuningRun, 'scope' | 'id' | 'job'>) =>
  say(deps, run, 'silent', 'The model account does not answer at the moment. The job goes on when it does.', 'warn')

/** `ftjob-{26}`, with the attempt behind it where it is not the first. */
const OPERATION = /^(ftjob-[0-9a-z]{26})(?:-\d{1,6})?$/

function jobIdOf(operationId: string): TuningJobId {
  const id = parseTuningJobId(OPERATION.exec(operationId)?.[1] ?? '')
  assert(id, 'a job’s checklist runs under its own id')
  return id
}

const PAUSE_SHARE_OF_AGE = 1 / 20
const PAUSES_MAX = 5

/**
 * Until the job is looked at again: the longer a step has taken, the longer, so that the history of a job that trains for days
 * stays short and its end is still seen within a twentieth of its time, or `PAUSES_MAX` pauses.
 */
export function pauseMs(
  { pollMs, clock }: Pick<TuningDeps, 'pollMs' | 'clock'>,
  { stepStartedAt }: Pick<TuningRun, 'stepStartedAt'>,
): number {
  const ageMs = clock.now() - stepStartedAt
  return Math.round(Math.min(Math.max(pollMs, ageMs * PAUSE_SHARE_OF_AGE), pollMs * PAUSES_MAX))
}

export const notYet = (deps: Pick<TuningDeps, 'pollMs' | 'clock'>, run: TuningRun, atLeastMs = 0): StepOutcome => ({
  kind: 'not-yet',
  againAfterMs: Math.max(atLeastMs, pauseMs(deps, run)),
})

/** Longer than hosts are down; renewed at every look at the job. */
const HELD_MS = 3 * 3_600_000

/** Holds what the training may cost of every budget that holds for it, or goes on holding it. */
export function holdEstimate(
  { holds, clock }: Pick<TuningDeps, 'holds' | 'clock'>,
  { scope, job }: Pick<TuningRun, 'scope' | 'job'>,
  tenant: TenantSnapshot | undefined,
): Promise<HoldResult> {
  const subjects = subjectsOf(job).map((subject) => ({
    subject,
    budgets: (subject.kind === 'key' ? job.by.budgets : tenant?.budgets) ?? {},
  }))
  assert(job.checked, 'what it costs is known once its data is checked')
  const untilMs = clock.now() + HELD_MS
  return holds.hold({ scope, subjects, holder: holderOf(job), cost: job.checked.estimate, untilMs })
}

/** What the training used takes the place of what it held; repeating it changes nothing. */
export function settleEstimate(
  { holds, clock }: Pick<TuningDeps, 'holds' | 'clock'>,
  { scope, job }: Pick<TuningRun, 'scope' | 'job'>,
): Promise<void> {
  const used = job.metering?.used ?? { tokens: 0, microUsd: 0 }
  const usedAtMs = job.metering?.atMs ?? clock.now()
  return holds.release({ scope, subjects: subjectsOf(job), holder: holderOf(job), used, usedAtMs })
}

const subjectsOf = ({ by: { keyId } }: TuningJob): readonly BudgetSubject[] => [
  { kind: 'tenant' },
  ...(keyId ? [{ kind: 'key', keyId } as const] : []),
]

/** By which name a job holds what it has reserved of budgets, where instances hold their leases. */
const holderOf = ({ id }: TuningJob): InstanceId => `ins_${id.slice('ftjob-'.length)}`

/** Says at its account that the job is still there; true while it has its turn. */
export function keepTurn(
  { turns, clock }: Pick<TuningDeps, 'turns' | 'clock'>,
  { scope, id, job }: Pick<TuningRun, 'scope' | 'id' | 'job'>,
  { weight, pauseMs: pause }: { weight: number; pauseMs: number },
): Promise<boolean> {
  assert(job.account && job.checked, 'it is in turn at an account once its data is checked')
  return turns.take(job.account.resourceId, {
    jobId: id,
    tenantId: scope.tenantId,
    tokens: job.checked.estimate.tokens,
    weight,
    againMs: clock.now() + pause,
  })
}
