import type { Checklist } from '../checklists/checklist'
import { accountStep } from './steps/account-step'
import { checkStep } from './steps/check-step'
import { clearStep } from './steps/clear-step'
import { collectStep } from './steps/collect-step'
import { createStep } from './steps/create-step'
import { deployStep } from './steps/deploy-step'
import { followStep } from './steps/follow-step'
import { meterStep } from './steps/meter-step'
import { notifyStep } from './steps/notify-step'
import { registerStep } from './steps/register-step'
import { reserveStep } from './steps/reserve-step'
import { settleStep } from './steps/settle-step'
import { stageSteps } from './steps/stage-steps'
import { takeBackStep } from './steps/take-back-step'
import { turnStep } from './steps/turn-step'
import { uploadStep } from './steps/upload-step'
import { tuningName, type TuningDeps, type TuningInput } from './tuning-deps'

/**
 * From a training file to a model that answers. How a job ends is decided in its record, by whichever step or request finds it out;
 * the checklist itself comes to its end whatever that is, since after any of them there is something to take back or to tidy up.
 */
export const tuningChecklist = (deps: TuningDeps): Checklist<TuningInput> => ({
  name: tuningName,
  onFailure: 'undo',
  steps: [
    checkStep(deps),
    accountStep(deps),
    reserveStep(deps),
    turnStep(deps),
    uploadStep(deps),
    createStep(deps),
    followStep(deps),
    meterStep(deps),
    collectStep(deps),
    registerStep(deps),
    deployStep(deps),
    ...stageSteps(deps),
    takeBackStep(deps),
    clearStep(deps),
    settleStep(deps),
    notifyStep(deps),
  ],
})
