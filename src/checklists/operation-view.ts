import { z } from 'zod'
import type { OrchestrationStatus } from '../base/durable-steps'
import type { OperationId } from '../base/ids'
import { checklistView, newChecklistStatus, type ChecklistStatus } from './checklist-status'
import type { ChecklistInput } from './run-checklist'

const step = z.object({
  id: z.string(),
  state: z.enum(['pending', 'running', 'waiting', 'done', 'skipped', 'failed', 'undone', 'undo-failed']),
  attempts: z.int(),
  startedAt: z.iso.datetime().optional(),
  endedAt: z.iso.datetime().optional(),
  error: z.object({ code: z.string(), detail: z.string() }).optional(),
})

const schema = z.object({
  operationId: z.string(),
  tenantId: z.string(),
  state: z.enum(['running', 'waiting-for-approval', 'completed', 'undone', 'failed']),
  steps: z.array(step),
  /** What the steps found out or made: ids, addresses, counts. */
  facts: z.record(z.string(), z.string()),
  /** Of a completed onboarding, for those who may open it: an address that shows the first API key once. */
  credentials: z.object({ url: z.string() }).optional(),
  /** Of a completed offboarding. */
  certificateUrl: z.string().optional(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})

/** Facts that have a place of their own in the view. */
export const credentialsFact = 'credentialsUrl'
export const certificateFact = 'certificateUrl'
/** Where an export's key is shown once. */
export const exportFact = 'exportUrl'

/** Addresses that are themselves the credential: whoever sees one can open it, and nobody can after that. */
export type OneTimeLink = 'credentials' | 'export'

/** How an operation's status is shown, to operators and to whoever registered; of one-time links those in `links` only. */
export const operationView = {
  schema,
  of: (
    operationId: OperationId,
    found: OrchestrationStatus,
    { links }: { links: readonly OneTimeLink[] },
  ): z.infer<typeof schema> => {
    const { state, steps, facts: all } = checklistView(statusOf(found))
    const {
      [credentialsFact]: credentialsUrl,
      [certificateFact]: certificateUrl,
      [exportFact]: exportUrl,
      ...facts
    } = all
    const isCompleted = state === 'completed'
    return {
      operationId,
      tenantId: (found.input as ChecklistInput).tenantId,
      // An orchestration that broke outside any step ended nowhere good.
      state: state === 'running' && found.state !== 'running' ? 'failed' : state,
      steps,
      facts: exportUrl && links.includes('export') ? { ...facts, [exportFact]: exportUrl } : facts,
      ...(isCompleted && credentialsUrl && links.includes('credentials')
        ? { credentials: { url: credentialsUrl } }
        : {}),
      ...(isCompleted && certificateUrl ? { certificateUrl } : {}),
      createdAt: new Date(found.createdAt).toISOString(),
      updatedAt: new Date(found.updatedAt).toISOString(),
    }
  },
}

export const isWaitingForDecision = (found: OrchestrationStatus) => statusOf(found).state === 'waiting-for-approval'

/** Before its first step an orchestration has said nothing. */
const statusOf = ({ output, status }: OrchestrationStatus): ChecklistStatus =>
  ((output ?? status) as ChecklistStatus | null | undefined) ?? newChecklistStatus([])
