import { Problem } from '../../base/problem'
import { done, type ChecklistStep } from '../../checklists/checklist'
import type { OnboardingInput } from '../onboarding-input'

/** A registration that nobody decides on is not kept for ever. */
const DECISION_WAIT_MS = 14 * 86_400_000

/** Waits for an operator where the registration needs one. */
export const approvalStep = (): ChecklistStep<OnboardingInput> => ({
  id: 'approval',
  timeoutMs: DECISION_WAIT_MS + 60_000,
  attemptsMax: 3,
  applies: ({ needsApproval }) => needsApproval,
  do: async ({ decision }) => {
    if (!decision) return { kind: 'needs-decision', timeoutMs: DECISION_WAIT_MS }
    if (decision.approved) return done({ approvedBy: decision.by })
    const text = `The registration was rejected${decision.reason ? `: ${decision.reason}` : ''}.`
    return { kind: 'failed', problem: new Problem('registration_rejected', text) }
  },
})
