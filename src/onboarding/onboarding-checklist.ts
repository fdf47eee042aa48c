import type { Checklist } from '../checklists/checklist'
import type { OnboardingDeps } from './onboarding-deps'
import { onboardingName, type OnboardingInput } from './onboarding-input'
import { accessStep } from './steps/access-step'
import { activationStep } from './steps/activation-step'
import { approvalStep } from './steps/approval-step'
import { dataKeyStep } from './steps/data-key-step'
import { limitsStep } from './steps/limits-step'
import { meteringStep } from './steps/metering-step'
import { modelsStep } from './steps/models-step'
import { monitoringStep } from './steps/monitoring-step'
import { notificationStep } from './steps/notification-step'
import { registerStep } from './steps/register-step'
import { storageStep } from './steps/storage-step'
import { validationStep } from './steps/validation-step'

/**
 * From nothing to a tenant that serves. Until `validation` the data path does not see the tenant, until `activation` it
 * lets nobody in but the validation itself (I17); what fails for good is undone from the end.
 */
export const onboardingChecklist = (deps: OnboardingDeps): Checklist<OnboardingInput> => ({
  name: onboardingName,
  onFailure: 'undo',
  steps: [
    registerStep(deps),
    approvalStep(),
    storageStep(deps),
    dataKeyStep(deps),
    accessStep(deps),
    modelsStep(deps),
    limitsStep(deps),
    meteringStep(deps),
    monitoringStep(deps),
    validationStep(deps),
    activationStep(deps),
    notificationStep(deps),
  ],
})
