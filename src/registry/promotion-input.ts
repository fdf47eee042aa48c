import { z } from 'zod'
import { aliasName } from '../tenants/tenant-input'
import type { PromotionStep } from './alias-promotion'

const STEPS_MAX = 20
/** A week at one share. */
const STEP_MINUTES_MAX = 7 * 24 * 60
const LATENCY_MS_MAX = 600_000

const step = z.strictObject({
  percent: z.int().min(1).max(100).meta({ description: 'Of the alias’s calls that are led to the model.' }),
  forMinutes: z.int().min(1).max(STEP_MINUTES_MAX),
})

/** Of `POST /api/tenant/models/{modelId}/promote`. */
export const promotionInput = z
  .strictObject({
    alias: aliasName,
    percentages: z.array(step).min(1).max(STEPS_MAX).optional().meta({
      description: 'Rising shares, each for its time; after the last one all calls are led. Absent: all at once.',
    }),
    rollBackOn: z
      .strictObject({
        errorRate: z
          .number()
          .gt(0)
          .max(1)
          .optional()
          .meta({ description: 'Of calls, 0 to 1: by so much more may fail than of those that others answer.' }),
        latencyMs: z
          .int()
          .min(1)
          .max(LATENCY_MS_MAX)
          .optional()
          .meta({ description: 'By so much longer may calls take on the mean than those that others answer.' }),
      })
      .optional()
      .meta({
        description:
          'The alias is led back where live calls are worse than that; judged minute by minute while shares rise.',
      }),
  })
  .superRefine(({ percentages, rollBackOn }, context) => {
    percentages?.forEach(({ percent }, index) => {
      const before = percentages[index - 1]?.percent ?? 0
      if (percent <= before)
        context.addIssue({
          code: 'custom',
          path: ['percentages', index, 'percent'],
          message: 'Must be above the one before',
        })
    })
    if (rollBackOn && !percentages)
      context.addIssue({ code: 'custom', path: ['rollBackOn'], message: 'Only shares that rise over time are judged' })
  })
export type PromotionInput = z.infer<typeof promotionInput>

/** The last step always leads all calls. */
export function stepsOf({ percentages = [] }: Pick<PromotionInput, 'percentages'>): PromotionStep[] {
  const steps = percentages.map(({ percent, forMinutes }) => ({ percent, minutes: forMinutes }))
  return steps.at(-1)?.percent === 100 ? steps : [...steps, { percent: 100, minutes: 0 }]
}
