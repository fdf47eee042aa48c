import type { Problem } from '../base/problem'
import type { StepOutcome } from '../checklists/checklist'
import type { SharedModelId } from './shared-model'
import type { SharedModels } from './shared-models'

/** Why the build fails is on its record before it is undone. */
export async function failed(
  { models }: { readonly models: Pick<SharedModels, 'change'> },
  id: SharedModelId,
  problem: Problem,
): Promise<StepOutcome> {
  const fault = { code: problem.code, message: problem.public }
  await models.change(id, (before) => (before.fault ? before : { ...before, fault }))
  return { kind: 'failed', problem }
}
