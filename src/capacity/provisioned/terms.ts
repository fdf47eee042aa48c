import { z } from 'zod'
import { dateInput } from '../day'
import { throughputInput, throughputOf, type Throughput } from '../../routing/throughput'

/** Where a provisioned deployment may serve calls: anywhere, in its data zone, or in its region. */
export const reaches = ['global', 'data-zone', 'regional'] as const
export type Reach = (typeof reaches)[number]

/** Of one unit. An hour's price runs as long as the deployment is there; a reservation is paid whether it is used or not. */
export interface UnitPrice {
  readonly hourMicroUsd: number
  readonly monthMicroUsd: number
  readonly yearMicroUsd: number
}

/** What provisioned throughput of a model costs and comes in. */
export interface Offer {
  readonly throughput: Throughput
  /** The fewest units of a deployment, and by how many it grows. */
  readonly unitsMin: number
  readonly unitsStep: number
  readonly price: UnitPrice
  /** Whose figures these are: `operator` where any of them was set by one. */
  readonly source: 'operator' | 'assumed'
}

/** Where the figures below stand: shown with every advice. */
const offersSource =
  'Units and throughput: Azure’s page on provisioned throughput, 2026-05. Prices: not published where they could be read; ' +
  'list prices as commonly quoted, to be replaced by those of your agreement.'

/** Units: Azure’s page on provisioned throughput. `small` models come in half the units of the others where a region is asked for. */
const MODELS_IN_SMALL_UNITS: readonly string[] = [
  'gpt-5-mini',
  'gpt-4.1-mini',
  'gpt-4.1-nano',
  'o4-mini',
  'gpt-4o-mini',
]
const unitsOf = (model: string, reach: Reach): Pick<Offer, 'unitsMin' | 'unitsStep'> => {
  if (reach !== 'regional') return { unitsMin: 15, unitsStep: 5 }
  return MODELS_IN_SMALL_UNITS.includes(model) ? { unitsMin: 25, unitsStep: 25 } : { unitsMin: 50, unitsStep: 50 }
}

/** Assumed: an operator's terms take their place. Reservations are about 64 % (a month) and 70 % (a year) below the hour's price. */
const assumedPrices: Readonly<Record<Reach, UnitPrice>> = {
  global: { hourMicroUsd: 1_000_000, monthMicroUsd: 260_000_000, yearMicroUsd: 2_652_000_000 },
  'data-zone': { hourMicroUsd: 1_100_000, monthMicroUsd: 286_000_000, yearMicroUsd: 2_916_000_000 },
  regional: { hourMicroUsd: 2_000_000, monthMicroUsd: 286_000_000, yearMicroUsd: 2_916_000_000 },
}

const MODELS_MAX = 100
const MICRO_USD_MAX = 1_000_000_000_000
const UNITS_MAX = 100_000
const TOKENS_PER_MINUTE_MAX = 100_000_000
const OUTPUT_WEIGHT_MAX = 64
const SOURCE_CHARACTERS_MAX = 300

const price = z.strictObject({
  hourMicroUsd: z.int().min(1).max(MICRO_USD_MAX),
  monthMicroUsd: z.int().min(1).max(MICRO_USD_MAX),
  yearMicroUsd: z.int().min(1).max(MICRO_USD_MAX),
})
const units = z
  .strictObject({ unitsMin: z.int().min(1).max(UNITS_MAX), unitsStep: z.int().min(1).max(UNITS_MAX) })
  .refine(({ unitsMin, unitsStep }) => unitsStep <= unitsMin, {
    error: 'unitsStep must be unitsMin or less',
    // Of what is wrong by itself nothing more is said.
    when: ({ issues }) => issues.length === 0,
  })

/** What an operator knows better: prices of an agreement, figures of a newer page. What is left out stays as it was assumed. */
export const provisionedTerms = z.strictObject({
  asOf: dateInput.meta({ description: 'When these figures were read.' }),
  source: z
    .string()
    .min(1)
    .max(SOURCE_CHARACTERS_MAX)
    .meta({ description: 'Where they stand: an agreement, a price sheet.' }),
  prices: z
    .strictObject({ global: price.optional(), 'data-zone': price.optional(), regional: price.optional() })
    .optional(),
  models: z
    .record(
      z.string().min(1).max(100),
      z.strictObject({
        inputTokensPerMinute: z
          .int()
          .min(1)
          .max(TOKENS_PER_MINUTE_MAX)
          .optional()
          .meta({ description: 'Of one unit.' }),
        outputWeight: z.number().min(1).max(OUTPUT_WEIGHT_MAX).optional(),
        global: units.optional(),
        'data-zone': units.optional(),
        regional: units.optional(),
      }),
    )
    .refine((all) => Object.keys(all).length <= MODELS_MAX, `Must name at most ${MODELS_MAX} models`)
    .optional()
    .meta({ description: 'By model.', maxProperties: MODELS_MAX }),
})
export type ProvisionedTerms = z.infer<typeof provisionedTerms>

/** What holds until an operator says otherwise. */
export const assumedTerms: ProvisionedTerms = { asOf: '2026-05-01', source: offersSource, prices: assumedPrices }

/** Undefined for a model of which nobody has said what a unit of it takes. */
export function offerOf(model: string, reach: Reach, terms: ProvisionedTerms | undefined): Offer | undefined {
  const said = terms?.models?.[model]
  const known = throughputOfUnit(model)
  const inputTokensPerMinute = said?.inputTokensPerMinute ?? known?.inputTokensPerMinute
  if (inputTokensPerMinute === undefined) return undefined
  return {
    throughput: {
      inputTokensPerMinute,
      outputWeight: said?.outputWeight ?? known?.outputWeight ?? OUTPUT_WEIGHT_DEFAULT,
    },
    ...(said?.[reach] ?? unitsOf(model, reach)),
    price: terms?.prices?.[reach] ?? assumedPrices[reach],
    source: terms?.prices?.[reach] ? 'operator' : 'assumed',
  }
}

/** What most models of the table have. */
export const OUTPUT_WEIGHT_DEFAULT = 4

function throughputOfUnit(model: string): Throughput | undefined {
  const unit = throughputInput.safeParse({ kind: 'units', units: 1, model })
  return unit.success ? throughputOf(unit.data) : undefined
}
