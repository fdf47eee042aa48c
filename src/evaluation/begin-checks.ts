import type { TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import { familyOf } from '../datasets/training-models'
import type { Files } from '../files/files'
import type { EvaluationWish } from '../registry/model-stages'
import type { Registry } from '../registry/registry'
import type { Backends } from '../routing/backends'
import type { TenantScope } from '../storage/tenant-scope'
import type { ModelAlias, TenantSnapshot } from '../tenants/snapshot'
import { baseAliases, tunedBackends } from './base-alias'

export interface EvaluationChecks {
  readonly files: Pick<Files, 'get'>
  readonly registry: Pick<Registry, 'list'>
  readonly backends: Backends['all']
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
}

/** What stands in the way of an evaluation against this base: told when it is asked for, rather than when a training is over. */
export async function checkEvaluation(
  { files, registry, backends, tenantOf }: EvaluationChecks,
  scope: TenantScope,
  { wish, baseModel }: { wish: EvaluationWish; baseModel: string },
): Promise<Problem | undefined> {
  const file = await files.get(scope, wish.fileId)
  // An id of nobody's, of another tenant's and of a deleted file are alike (I3).
  if (!file) return invalid('fileId', 'names no file of yours')
  if (file.purpose !== 'fine-tune') return invalid('fileId', 'must have been uploaded with the purpose "fine-tune"')
  const tenant = await tenantOf(scope.tenantId)
  if (!tenant) return new Problem('tenant_not_active', 'This tenant is not active yet.')
  if (wish.grader && !chatAliasOf(tenant, wish.grader.alias))
    return invalid('grader.alias', 'must name an alias of yours that serves chats')
  const [base] = baseAliases(tenant, baseModel, await tunedBackends(registry.list(scope), await backends()))
  return base ? undefined : noBase(baseModel)
}

export const chatAliasOf = ({ aliases }: Pick<TenantSnapshot, 'aliases'>, name: string): ModelAlias | undefined => {
  const alias = Object.hasOwn(aliases, name) ? aliases[name] : undefined
  return alias?.capabilities.includes('chat') ? alias : undefined
}

export const noBase = (baseModel: string) =>
  new Problem(
    'conflict',
    `None of your aliases leads to the base, ${familyOf(baseModel)}, so there is nothing to compare a tuned model with. Have an alias of that model added, then ask again.`,
  )

const invalid = (param: string, text: string) =>
  new Problem('invalid_request', `${param}: ${text}`, { param, errors: [{ path: param, message: text }] })
