import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { ModelVersion } from '../registry/model-version'
import type { Registry } from '../registry/registry'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import { createTenantWalk } from '../tenants/walk-tenants'
import { watchingOf } from './drift-settings'
import { driftAlertId, watchModel, type WatchModelDeps } from './watch-model'

export interface WatchTenantsDeps extends WatchModelDeps {
  readonly registry: Pick<Registry, 'list'>
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly log: Log
}

/**
 * One look at every tenant that has asked for it, on behalf of each by itself (I4); how many models were looked at. Twice at once, or
 * broken off: each step of it can be repeated.
 */
export function createWatchTenants(deps: WatchTenantsDeps): () => Promise<number> {
  return createTenantWalk({ ...deps, what: 'watching for drift', look: (tenantId) => watchTenant(deps, tenantId) })
}

async function watchTenant(deps: WatchTenantsDeps, tenantId: TenantId): Promise<number> {
  const { registry, store, alerts, tenantOf } = deps
  const tenant = await tenantOf(tenantId)
  // One that never had it switched on has nothing here: a look at its snapshot is all that it costs.
  if (tenant?.state !== 'active' || !tenant.settings.drift) return 0
  const scope = TenantScope.ofPlatform(tenantId)
  const watching = watchingOf(tenant.settings.drift)
  const unwanted = new Set(await store.models(scope))
  let looked = 0
  for await (const model of registry.list(scope)) {
    if (!watching || !isWatched(model)) continue
    unwanted.delete(model.id)
    looked += 1
    await watchModel(deps, scope, { model, watching }).catch((error: unknown) =>
      deps.log.warn('a model could not be watched for drift', { modelId: model.id, error: describeError(error) }),
    )
  }
  for (const id of unwanted) {
    await store.removeModel(scope, id)
    await alerts.resolve(driftAlertId(id))
  }
  return looked
}

/** One that nobody can call has no calls; one that comes or goes keeps what it has. */
const isWatched = ({ archivedAt, deployment }: ModelVersion): boolean =>
  archivedAt === undefined && deployment.kind !== 'none'
