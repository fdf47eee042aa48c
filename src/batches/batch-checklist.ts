import type { Checklist } from '../checklists/checklist'
import { batchName, type BatchDeps, type BatchInput } from './batch-deps'
import { checkStep } from './steps/check-step'
import { clearStep } from './steps/clear-step'
import { collectStep } from './steps/collect-step'
import { meterStep } from './steps/meter-step'
import { reserveStep } from './steps/reserve-step'
import { runStep } from './steps/run-step'
import { settleStep } from './steps/settle-step'
import { stageStep } from './steps/stage-step'
import { turnStep } from './steps/turn-step'

/**
 * From an input file to answers in files. How a batch ends is decided in its record, by whichever step or request finds it out;
 * the checklist itself comes to its end whatever that is, since after any of them there is something to give back.
 */
export const batchChecklist = (deps: BatchDeps): Checklist<BatchInput> => ({
  name: batchName,
  onFailure: 'undo',
  steps: [
    checkStep(deps),
    reserveStep(deps),
    turnStep(deps),
    stageStep(deps),
    runStep(deps),
    meterStep(deps),
    collectStep(deps),
    settleStep(deps),
    clearStep(deps),
  ],
})
