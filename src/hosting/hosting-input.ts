import { z } from 'zod'
import { deploymentSkus } from '../registry/model-version'

/** Thousands of tokens per minute: more than Azure gives to any one deployment. */
const CAPACITY_MAX = 100_000

/** Of `POST /api/tenant/models/{modelId}/deploy`. */
export const deployInput = z.strictObject({
  sku: z.enum(deploymentSkus).default('Standard'),
  capacity: z.int().min(1).max(CAPACITY_MAX).default(50).meta({ description: 'Thousands of tokens per minute.' }),
})
export type DeployInput = z.infer<typeof deployInput>

export const shownHosting = z
  .object({
    operationId: z.string().meta({ description: 'Of `GET /api/tenant/operations/{operationId}`.' }),
    modelId: z.string(),
  })
  .meta({ id: 'HostingOperation' })
