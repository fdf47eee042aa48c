import { z } from 'zod'
import type { ModelId } from '../base/ids'
import { Problem } from '../base/problem'
import type { DeploymentSku, ModelVersion } from '../registry/model-version'
import type { Stamps } from '../stamps/stamps'
import type { TenantRecord } from '../tenants/tenant-record'
import { accountsFor } from './region-accounts'

const CAPACITY_MAX = 100_000
/** Thousands of tokens per minute, of a model that was never deployed. */
const CAPACITY_DEFAULT = 50
const ACCOUNT_CHARACTERS_MAX = 400

const region = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'Must be a region in lower case, such as "swedencentral"')
  .optional()

export const copyInput = z
  .strictObject({
    region,
    accountId: z
      .string()
      .min(1)
      .max(ACCOUNT_CHARACTERS_MAX)
      .optional()
      .meta({ description: 'The ARM id of an account of a stamp, in place of a region.' }),
    capacity: z.int().min(1).max(CAPACITY_MAX).optional().meta({ description: 'Absent: as the model is deployed.' }),
    lead: z.enum(['behind', 'none']).default('behind').meta({
      description: 'Whether aliases that lead to the model lead to the copy where the model does not answer.',
    }),
  })
  .refine(
    (input) => (input.region === undefined) !== (input.accountId === undefined),
    'Must name one of "region", "accountId"',
  )

/** What the checklist is told: accounts that were allowed when it was asked for, which it asks again. */
export interface CopyInput {
  readonly modelId: ModelId
  readonly accountIds: readonly string[]
  readonly region?: string | undefined
  readonly sku: DeploymentSku
  readonly capacity: number
  readonly lead: 'behind' | 'none'
}

export async function planCopy(
  { stamps }: { stamps: Pick<Stamps, 'list'> },
  { record, model }: { record: TenantRecord; model: ModelVersion },
  input: z.infer<typeof copyInput>,
): Promise<CopyInput | Problem> {
  const { upstream, deployment, archivedAt } = model
  if (archivedAt !== undefined) return new Problem('conflict', 'An archived model is not copied.')
  if (upstream.accountId === undefined)
    return new Problem('conflict', 'The account that has this model is not reached through ARM.')
  const plan = deployment.kind === 'none' ? undefined : deployment.plan
  const all = (await stamps.list()).map(({ stamp }) => stamp)
  const accountIds = accountsFor(record, all, { wanted: input, but: upstream.accountId })
  if (accountIds instanceof Problem) return accountIds
  return {
    modelId: model.id,
    accountIds,
    ...(input.region === undefined ? {} : { region: input.region }),
    sku: plan?.sku ?? 'Standard',
    capacity: input.capacity ?? plan?.capacity ?? CAPACITY_DEFAULT,
    lead: input.lead,
  }
}
