import { Problem } from '../../base/problem'
import { done } from '../../checklists/checklist'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { notYet, onJob, say } from '../tuning-run'

/** How long a job waits for its tenant to make room for its results. */
const ROOM_MS_MAX = 3_600_000

/** The table of steps that the account wrote becomes a file of the tenant's. A model is none the worse for its absence. */
export const collectStep = (deps: TuningDeps): TuningStep => ({
  id: 'collect',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJob(deps, async (run) => {
    const { scope, id, job, stepStartedAt } = run
    const [accountFileId] = job.seen?.resultFileIds ?? []
    if (accountFileId === undefined || !job.account || job.results) return done()
    const over = async (results: 'kept' | 'none') => {
      await deps.store.change(scope, id, (before) => ({ ...before, results }))
      return done()
    }
    const named = await deps.store.change(scope, id, (before) =>
      before.resultFileId === undefined ? { ...before, resultFileId: deps.ids.fileId() } : before,
    )
    if (named?.resultFileId === undefined) return done()
    const found = await deps.outputs.content(job.account.account, accountFileId)
    if (found.kind === 'unsure') return notYet(deps, run, found.againMs)
    if (found.kind !== 'content') return over('none')
    const made = await deps.files.create(
      scope,
      {
        id: named.resultFileId,
        filename: `${id}_results.csv`,
        purpose: 'fine-tune-results',
        createdBy: job.by.callerId,
      },
      found.content,
    )
    if (!(made instanceof Problem)) return over('kept')
    deps.log.warn('results of a training could not be kept', { jobId: id, code: made.code })
    if (deps.clock.now() - stepStartedAt < ROOM_MS_MAX) return notYet(deps, run)
    await say(deps, run, 'results', `The results could not be kept: ${made.public}`, 'warn')
    return over('none')
  }),
})
