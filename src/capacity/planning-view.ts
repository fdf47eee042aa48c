import { z } from 'zod'
import type { PoolAdvice } from './capacity'
import type { Headroom } from './headroom'
import type { Sizing } from './provisioned/size-units'
import { assumedTerms, reaches, type ProvisionedTerms } from './provisioned/terms'
import { commitments } from './provisioned/size-units'

export const shownHeadroom = z
  .object({
    model: z.string(),
    region: z.string().optional(),
    tokensPerMinute: z.int().meta({ description: 'Free in the fullest minute of the next 30 days, as expected.' }),
    deployments: z.array(
      z.object({
        backendId: z.string(),
        name: z.string(),
        region: z.string(),
        enabled: z.boolean(),
        tokensPerMinute: z
          .int()
          .optional()
          .meta({ description: 'What it can take; absent where nobody said, and then it does not count.' }),
        expected: z.int(),
        upper: z.int(),
      }),
    ),
    onboarding: z.object({ tenants: z.int(), limitTokensPerMinute: z.int(), likelyTokensPerMinute: z.int() }),
    fits: z.array(
      z.object({
        tier: z.string(),
        byLimit: z.int().meta({ description: 'If each used its whole limit at once.' }),
        byUse: z.int().optional().meta({ description: 'If each is as large as nine of ten of its tier are.' }),
        likelyTokensPerMinute: z.int().optional(),
      }),
    ),
  })
  .meta({ id: 'CapacityHeadroom' })

export const headroomView = (
  { deployments, ...rest }: Headroom,
  { model, region }: { model: string; region: string | undefined },
): z.infer<typeof shownHeadroom> => ({
  model,
  ...(region === undefined ? {} : { region }),
  ...rest,
  fits: rest.fits.map(({ tier, byLimit, byUse, likelyTokensPerMinute }) => ({
    tier,
    byLimit,
    ...(byUse === undefined ? {} : { byUse }),
    ...(likelyTokensPerMinute === undefined ? {} : { likelyTokensPerMinute }),
  })),
  deployments: deployments.map(({ backend: { id, name, region: in_, enabled }, tokensPerMinute, expected, upper }) => ({
    backendId: id,
    name,
    region: in_,
    enabled,
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
    expected,
    upper,
  })),
})

const shownSizing = z.object({
  commitment: z.enum(commitments),
  units: z.int().meta({ description: '0: pay-as-you-go alone costs least.' }),
  unitsMicroUsd: z.int(),
  spilloverMicroUsd: z.int(),
  totalMicroUsd: z.int().meta({ description: 'A month of 730 hours.' }),
  servedShare: z.number(),
  usedShare: z.number(),
})

const named = { model: z.string(), region: z.string(), units: z.int().meta({ description: 'There are now.' }) }

export const shownAdvice = z
  .object({
    asOf: z.iso.date(),
    source: z.string(),
    reach: z.enum(reaches),
    pools: z.array(
      z.discriminatedUnion('kind', [
        z.object({
          ...named,
          kind: z.literal('sized'),
          prices: z.enum(['operator', 'assumed']),
          unitsMin: z.int(),
          unitsStep: z.int(),
          inputTokensPerMinutePerUnit: z.int(),
          outputWeight: z.number(),
          payAsYouGoMicroUsd: z.int(),
          growth: z.number().meta({ description: 'How many times the present use is expected four weeks on.' }),
          now: z.array(shownSizing),
          ahead: z.array(shownSizing),
          breakEven: z
            .object({ hourly: z.number().optional(), month: z.number().optional(), year: z.number().optional() })
            .meta({
              description: 'The part of a unit that has to be in use all the time to cost as much as pay-as-you-go.',
            }),
        }),
        z.object({ ...named, kind: z.literal('unknown-model') }),
        z.object({ ...named, kind: z.literal('unpriced') }),
        z.object({ ...named, kind: z.literal('unused') }),
      ]),
    ),
    next: z.string().optional(),
  })
  .meta({ id: 'ProvisionedAdvice' })

export const poolKeyOf = ({ model, region }: Pick<PoolAdvice, 'model' | 'region'>) => `${model}/${region}`

export function poolView({
  model,
  region,
  units,
  growth,
  advice,
}: PoolAdvice): z.infer<typeof shownAdvice>['pools'][number] {
  const whose = { model, region, units }
  if (advice.kind !== 'sized') return { ...whose, kind: advice.kind }
  const { offer, payAsYouGoMicroUsd, now, ahead, breakEven } = advice
  return {
    ...whose,
    kind: 'sized',
    prices: offer.source,
    unitsMin: offer.unitsMin,
    unitsStep: offer.unitsStep,
    inputTokensPerMinutePerUnit: offer.throughput.inputTokensPerMinute,
    outputWeight: offer.throughput.outputWeight,
    payAsYouGoMicroUsd,
    growth: share(growth),
    now: now.map(sizingView),
    ahead: ahead.map(sizingView),
    breakEven: Object.fromEntries(Object.entries(breakEven).map(([commitment, value]) => [commitment, share(value)])),
  }
}

const sizingView = (sizing: Sizing) => ({
  ...sizing,
  servedShare: share(sizing.servedShare),
  usedShare: share(sizing.usedShare),
})
const share = (value: number) => Number(value.toFixed(4))

/** Where the figures come from: an operator's own, or what is assumed. */
export const originOf = ({ asOf, source }: ProvisionedTerms = assumedTerms) => ({ asOf, source })
