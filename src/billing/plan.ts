import { z } from 'zod'
import { Problem } from '../base/problem'
import { dayInput, type Day } from './calendar'

const MICRO_USD_MAX = 1_000_000_000_000
const MICRO_USD_PER_MILLION_MAX = 1_000_000_000
const UNITS_MAX = 1_000_000_000_000_000
const TIERS_MAX = 20
const MODELS_MAX = 100
const MODEL = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/
/** 100 times the list price. */
const MARK_UP_BASIS_POINTS_MAX = 1_000_000

const amount = z.int().min(0).max(MICRO_USD_MAX)
const units = z.int().min(1).max(UNITS_MAX)
const markUp = z
  .int()
  .min(-10_000)
  .max(MARK_UP_BASIS_POINTS_MAX)
  .meta({ description: 'On the price book’s price, in hundredths of a percent; below 0 a discount.' })
const perMillion = z.int().min(0).max(MICRO_USD_PER_MILLION_MAX)

const tokenPricing = {
  markUpBasisPoints: markUp.default(0),
  models: z
    .record(
      z.string().regex(MODEL, 'Must be the name of a model'),
      z.strictObject({ input: perMillion, cachedInput: perMillion.optional(), output: perMillion }),
    )
    .refine((models) => Object.keys(models).length <= MODELS_MAX, `Must have at most ${MODELS_MAX} models`)
    .default({})
    .meta({
      description: 'Prices of its own, micro-USD per million tokens, in place of mark-up on list price.',
      maxProperties: MODELS_MAX,
    }),
}

/** Bounds rise, and the last tier is open: whatever the number of requests, each has one price. */
const tiers = z
  .array(z.strictObject({ upToRequests: units.nullable(), microUsdPerRequest: amount }))
  .min(1)
  .max(TIERS_MAX)
  .superRefine((list, context) => {
    list.forEach(({ upToRequests }, index) => {
      const before = list[index - 1]?.upToRequests ?? 0
      const isLast = index === list.length - 1
      if (isLast !== (upToRequests === null))
        context.addIssue({
          code: 'custom',
          path: [index, 'upToRequests'],
          message: isLast
            ? 'Must be null: the last tier is for all further requests'
            : 'Must be null in the last tier only',
        })
      else if (upToRequests !== null && upToRequests <= before)
        context.addIssue({
          code: 'custom',
          path: [index, 'upToRequests'],
          message: `Must be more than ${before}, the tier before`,
        })
    })
  })

const services = z
  .strictObject({
    batch: markUp.default(0),
    training: markUp.default(0),
    hosting: markUp.default(0),
    storage: markUp.default(0),
    provisioned: markUp.default(0),
  })
  .prefault({})
  .meta({ description: 'Mark-ups on what is billed beside calls, whatever the kind of the plan.' })

const common = {
  services,
  provisioned: z.enum(['by-use', 'by-cost']).default('by-use').meta({
    description:
      'Calls that provisioned throughput with a price served: as all others, or by the tenant’s share of that price.',
  }),
  ownAccount: z
    .enum(['free', 'as-others'])
    .default('free')
    .meta({ description: 'Calls served at the tenant’s own account, which it pays itself.' }),
}

/** What a tenant pays for, and how much. Amounts in micro-USD; months are those of the calendar, UTC. */
export const planInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('per-request'), tiers, ...common }),
  z.strictObject({ kind: z.literal('per-token'), ...tokenPricing, ...common }),
  z.strictObject({
    kind: z.literal('subscription'),
    microUsdPerMonth: amount,
    quota: z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('tokens'),
        included: z.int().min(0).max(UNITS_MAX),
        microUsdPerMillion: perMillion,
      }),
      z.strictObject({
        kind: z.literal('requests'),
        included: z.int().min(0).max(UNITS_MAX),
        microUsdPerRequest: amount,
      }),
    ]),
    ...common,
  }),
  z.strictObject({ kind: z.literal('minimum'), microUsdPerMonthMin: amount, ...tokenPricing, ...common }),
])
export type Plan = z.infer<typeof planInput>
export type TokenPricing = Pick<Extract<Plan, { kind: 'per-token' }>, 'markUpBasisPoints' | 'models'>

/** Holds from its day on, until another does. */
export interface DatedPlan {
  readonly from: Day
  readonly plan: Plan
}
export const datedPlanInput = z.strictObject({ from: dayInput, plan: planInput })

/** Of a tenant for which none is set: usage at list price. */
export const defaultPlan: Plan = {
  kind: 'per-token',
  markUpBasisPoints: 0,
  models: {},
  services: { batch: 0, training: 0, hosting: 0, storage: 0, provisioned: 0 },
  provisioned: 'by-use',
  ownAccount: 'free',
}

/** In order of days. */
export const planOn = (plans: readonly DatedPlan[], day: Day): Plan =>
  plans.findLast(({ from }) => from <= day)?.plan ?? defaultPlan

/** Of a tenant; years of monthly changes. */
const PLANS_MAX = 200

/** With one more, or with another in the place of the one from the same day. */
export function withPlan(plans: readonly DatedPlan[], added: DatedPlan): readonly DatedPlan[] | Problem {
  const others = plans.filter(({ from }) => from !== added.from)
  if (others.length >= PLANS_MAX)
    return new Problem('conflict', `A tenant has at most ${PLANS_MAX} plans, one after the other.`)
  return [...others, added].sort((a, b) => (a.from < b.from ? -1 : 1))
}
