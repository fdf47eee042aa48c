import type { Orchestrations } from '../base/durable-steps'
import { Problem } from '../base/problem'
import type { ChecklistInput } from '../checklists/run-checklist'
import type { TenantScope } from '../storage/tenant-scope'
import { evaluationName, type EvaluationTask } from './evaluation-checklist'
import type { EvaluationRun } from './evaluation-run'
import type { EvaluationOrder, Evaluations } from './evaluations'

/**
 * Begins an evaluation that somebody asked for. What stands in its way is said here, before anything durable is begun. Repeated
 * under the same id it goes on where it broke off.
 */
export async function evaluateModel(
  { evaluations, orchestrations }: { evaluations: Evaluations; orchestrations: Pick<Orchestrations, 'start'> },
  scope: TenantScope,
  order: EvaluationOrder,
): Promise<EvaluationRun | Problem> {
  const begun = await evaluations.begin(scope, order)
  if (begun instanceof Problem) return begun
  const { modelId, id } = order
  const task: EvaluationTask = { modelId, id }
  await orchestrations.start(evaluationName, id, { tenantId: scope.tenantId, input: task } satisfies ChecklistInput)
  return begun
}
