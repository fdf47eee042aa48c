import type { Checklist } from '../checklists/checklist'
import { buildName } from './begin-shared-model'
import type { SharedModelDeps, SharedModelTask } from './shared-model-deps'
import { cleanStep } from './steps/clean-step'
import { collectStep } from './steps/collect-step'
import { mergeStep } from './steps/merge-step'
import { offerStep, supersedeStep } from './steps/offer-step'
import { ownerStep } from './steps/owner-step'
import { sampleStep } from './steps/sample-step'
import { trainStep } from './steps/train-step'
import { wordsStep } from './steps/words-step'

/**
 * From consents to a model that contributors may be led to. Everything it makes is its owner's, so undoing it is deleting the owner;
 * a contributor that objects meanwhile makes it fail, and begin anew without that tenant.
 */
export const buildChecklist = (deps: SharedModelDeps): Checklist<SharedModelTask> => ({
  name: buildName,
  onFailure: 'undo',
  steps: [
    collectStep(deps),
    ownerStep(deps),
    sampleStep(deps),
    wordsStep(deps),
    cleanStep(deps),
    mergeStep(deps),
    trainStep(deps),
    offerStep(deps),
    supersedeStep(deps),
  ],
})
