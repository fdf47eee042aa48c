import { z } from 'zod'
import type { Caller } from '../access/caller'
import type { DriftPolicy } from './drift-records'

const PREFIX_CHARACTERS_MAX = 100
const STARTS_PER_MONTH_MAX = 10

/** Of `PUT /api/tenant/models/{modelId}/drift`: what is done when this model's calls have drifted. */
export const driftPolicyInput = z.strictObject({
  retrain: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('propose') }),
    z
      .strictObject({
        kind: z.literal('start'),
        filenamePrefix: z.string().min(1).max(PREFIX_CHARACTERS_MAX).optional().meta({
          description: 'Only datasets whose file has a name that begins so.',
        }),
        perMonthMax: z.int().min(1).max(STARTS_PER_MONTH_MAX).default(1).meta({
          description: 'Trainings that may be started of this model within any 31 days.',
        }),
      })
      .meta({
        description:
          'The model is trained further on the newest dataset of its base and method that is registered, valid, consented to and newer than the model.',
      }),
  ]),
})

export function policyOf({ retrain }: z.infer<typeof driftPolicyInput>, caller: Caller, nowMs: number): DriftPolicy {
  if (retrain.kind === 'propose') return retrain
  const { callerId: by, principal, limits, budgets } = caller
  return { ...retrain, allowed: { by, principal, limits, budgets, atMs: nowMs } }
}
