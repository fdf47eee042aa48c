import { z } from 'zod'
import type { Backend } from '../routing/backend'
import { throughputOf } from '../routing/throughput'
import type { PlannedDeployment } from '../provisioning/models-plan'
import type { Limits } from './outlook'

const TOKENS_PER_MINUTE_MAX = 10_000_000_000
const REQUESTS_PER_MINUTE_MAX = 10_000_000
const MODEL_CHARACTERS_MAX = 100

/** What only an operator knows of a deployment that the platform did not make: its quota, as its account shows it. */
export const deploymentSetting = z.strictObject({
  tokensPerMinute: z
    .int()
    .min(1)
    .max(TOKENS_PER_MINUTE_MAX)
    .optional()
    .meta({ description: 'Of pay-as-you-go: its quota. Provisioned throughput has the backend’s own `throughput`.' }),
  requestsPerMinute: z.int().min(1).max(REQUESTS_PER_MINUTE_MAX).optional(),
  model: z
    .string()
    .min(1)
    .max(MODEL_CHARACTERS_MAX)
    .optional()
    .meta({ description: 'For a deployment that nobody has called yet; else its calls say it.' }),
})
export type DeploymentSetting = z.infer<typeof deploymentSetting>

/** Azure counts a unit of capacity of a pay-as-you-go deployment as a thousand tokens a minute (its page on quotas, May 2026). */
const TOKENS_PER_UNIT = 1_000

export interface DeploymentFacts {
  readonly backend: Pick<Backend, 'capacity' | 'throughput'>
  readonly setting: DeploymentSetting | undefined
  /** Where the platform made it: what was asked of Azure. */
  readonly planned: Pick<PlannedDeployment, 'sku' | 'capacity'> | undefined
}

/** What a deployment can take. Empty where nobody said it: then its use is forecast, and no date. What an operator says comes first. */
export function limitsOfDeployment({ backend, setting, planned }: DeploymentFacts): Limits {
  const requestsPerMinute = setting?.requestsPerMinute
  const requests = requestsPerMinute === undefined ? {} : { requestsPerMinute }
  if (backend.capacity === 'ptu')
    return backend.throughput
      ? { ...requests, inputTokensPerMinute: throughputOf(backend.throughput).inputTokensPerMinute }
      : requests
  const { throughput } = backend
  const said =
    setting?.tokensPerMinute ?? (throughput?.kind === 'tokens-per-minute' ? throughput.tokensPerMinute : undefined)
  const tokensPerMinute =
    said ?? (planned && !planned.sku.includes('Provisioned') ? planned.capacity * TOKENS_PER_UNIT : undefined)
  return { ...requests, ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }) }
}

/** Input tokens that an output token weighs, where provisioned throughput is what is full. */
export const outputWeightOf = ({
  capacity,
  throughput,
}: Pick<Backend, 'capacity' | 'throughput'>): number | undefined =>
  capacity === 'ptu' && throughput ? throughputOf(throughput).outputWeight : undefined
