import { z } from 'zod'

const UNITS_MAX = 100_000
const TOKENS_PER_MINUTE_MAX = 10_000_000_000
const OUTPUT_WEIGHT_MAX = 64

/** What a deployment of provisioned throughput can take: said by its units and model, or by its tokens a minute. */
export const throughputInput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('units'),
    units: z.int().min(1).max(UNITS_MAX),
    model: z.enum([
      'gpt-5.5',
      'gpt-5.4',
      'gpt-5.3-codex',
      'gpt-5.2',
      'gpt-5.1',
      'gpt-5',
      'gpt-5-mini',
      'gpt-4.1',
      'gpt-4.1-mini',
      'gpt-4.1-nano',
      'o3',
      'o4-mini',
      'gpt-4o',
      'gpt-4o-mini',
    ]),
  }),
  z.strictObject({
    kind: z.literal('tokens-per-minute'),
    /** Input tokens. */
    tokensPerMinute: z.int().min(1).max(TOKENS_PER_MINUTE_MAX),
    /** Input tokens that one output token weighs. */
    outputWeight: z.number().min(1).max(OUTPUT_WEIGHT_MAX).default(4),
  }),
])
export type ThroughputInput = z.infer<typeof throughputInput>

/** Capacity in input tokens, of which an output token weighs several. */
export interface Throughput {
  readonly inputTokensPerMinute: number
  readonly outputWeight: number
}

type ProvisionedModel = Extract<ThroughputInput, { kind: 'units' }>['model']

/** Input tokens a minute of one unit, and the weight of an output token. Source: Azure's page on provisioned throughput, May 2026. */
const perUnit: Readonly<Record<ProvisionedModel, Throughput>> = {
  'gpt-5.5': { inputTokensPerMinute: 1_200, outputWeight: 6 },
  'gpt-5.4': { inputTokensPerMinute: 2_400, outputWeight: 6 },
  'gpt-5.3-codex': { inputTokensPerMinute: 3_400, outputWeight: 8 },
  'gpt-5.2': { inputTokensPerMinute: 3_400, outputWeight: 8 },
  'gpt-5.1': { inputTokensPerMinute: 4_750, outputWeight: 8 },
  'gpt-5': { inputTokensPerMinute: 4_750, outputWeight: 8 },
  'gpt-5-mini': { inputTokensPerMinute: 23_750, outputWeight: 8 },
  'gpt-4.1': { inputTokensPerMinute: 3_000, outputWeight: 4 },
  'gpt-4.1-mini': { inputTokensPerMinute: 14_900, outputWeight: 4 },
  'gpt-4.1-nano': { inputTokensPerMinute: 59_400, outputWeight: 4 },
  o3: { inputTokensPerMinute: 3_000, outputWeight: 4 },
  'o4-mini': { inputTokensPerMinute: 5_400, outputWeight: 4 },
  'gpt-4o': { inputTokensPerMinute: 2_500, outputWeight: 4 },
  'gpt-4o-mini': { inputTokensPerMinute: 37_000, outputWeight: 4 },
}

export function throughputOf(said: ThroughputInput): Throughput {
  if (said.kind === 'tokens-per-minute') {
    return { inputTokensPerMinute: said.tokensPerMinute, outputWeight: said.outputWeight }
  }
  const { inputTokensPerMinute, outputWeight } = perUnit[said.model]
  return { inputTokensPerMinute: inputTokensPerMinute * said.units, outputWeight }
}
