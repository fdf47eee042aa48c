import { z } from 'zod'
import type { ModelId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Files } from '../files/files'
import type { ModelVersion } from '../registry/model-version'
import type { Registry } from '../registry/registry'
import type { Stamps } from '../stamps/stamps'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantRecord } from '../tenants/tenant-record'
import type { DeployWish } from '../tuning/tuning-job'
import { accountsFor } from './region-accounts'

export const rebuildInput = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, 'Must be a region in lower case, such as "swedencentral"')
    .optional()
    .meta({ description: 'Absent: any in which the tenant may be.' }),
  lead: z.enum(['replace', 'none']).default('none').meta({
    description: 'Whether aliases that lead to the model lead to the new one, once it answers.',
  }),
})

/** What the checklist is told. */
export interface RebuildInput {
  readonly modelId: ModelId
  /** Absent where the tenant has accounts of its own: then it is trained there. */
  readonly accountIds?: readonly string[] | undefined
  /** As the model is, or was, deployed. */
  readonly deploy?: DeployWish | undefined
  readonly lead: 'replace' | 'none'
}

export interface PlanRebuildDeps {
  readonly stamps: Pick<Stamps, 'list'>
  readonly files: Pick<Files, 'get'>
}

/** Refuses what would be found out only when it is under way. */
export async function planRebuild(
  { stamps, files }: PlanRebuildDeps,
  { scope, record, model }: { scope: TenantScope; record: TenantRecord; model: ModelVersion },
  { region, lead }: z.infer<typeof rebuildInput>,
): Promise<RebuildInput | Problem> {
  const { lineage, upstream, deployment } = model
  if (lineage.copyOf !== undefined)
    return new Problem('conflict', `This is a copy, which nothing was trained for: rebuild ${lineage.copyOf}.`)
  for (const id of [lineage.training.fileId, lineage.validation?.fileId])
    if (id && !(await files.get(scope, id)))
      return new Problem(
        'conflict',
        `The file ${id} that the model was trained on is not there. Where it was lost and not deleted, restore the tenant first.`,
      )
  const hasOwn = record.isolation.models === 'dedicated' || record.isolation.models === 'tenant-owned'
  if (hasOwn && region !== undefined)
    return new Problem('conflict', 'This tenant trains in accounts of its own; where they are is said in its record.')
  const all = hasOwn ? [] : (await stamps.list()).map(({ stamp }) => stamp)
  const accountIds = hasOwn ? undefined : accountsFor(record, all, { wanted: { region }, but: upstream.accountId })
  if (accountIds instanceof Problem) return accountIds
  const plan = deployment.kind === 'none' ? undefined : deployment.plan
  return {
    modelId: model.id,
    ...(accountIds ? { accountIds } : {}),
    ...(plan ? { deploy: { sku: plan.sku, capacity: plan.capacity } } : {}),
    lead,
  }
}

/** The version that stands for one that was lost: the newest that was made for it, or itself. */
export async function standingFor(
  registry: Pick<Registry, 'get' | 'list'>,
  scope: TenantScope,
  id: ModelId,
): Promise<ModelVersion | undefined> {
  let found = await registry.get(scope, id)
  for await (const model of registry.list(scope)) if (model.lineage.rebuilds === id) found = model
  return found
}
