import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { ModelVersion } from '../registry/model-version'
import type { Registry } from '../registry/registry'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import { watchingOf } from './drift-settings'
import { driftAlertId, watchModel, type WatchModelDeps } from './watch-model'

export interface WatchTenantsDeps extends WatchModelDeps {
  readonly registry: Pick<Registry, 'list'>
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly log: Log
}

/** Below the half hour that the Functions host gives an invocation; who is left comes first the next time. */
const RUN_MS_MAX = 20 * 60_000

/**
 * One look at every tenant that has asked for it, on behalf of each by itself (I4); how many models were looked at. Twice at once, or
 * broken off: each step of it can be repeated.
 */
export function createWatchTenants(deps: WatchTenantsDeps): () => Promise<number> {
  const { clock, log } = deps
  let beginBehind: TenantId | undefined
  return async () => {
    const endsAtMs = clock.monotonicMs() + RUN_MS_MAX
    const isSkipped = beginBehind
    beginBehind = undefined
    let looked = 0
    for await (const tenantId of deps.tenantIds()) {
      if (isSkipped !== undefined && tenantId <= isSkipped) continue
      try {
        looked += await watchTenant(deps, tenantId)
      } catch (error) {
        // Of one whose data is being moved or deleted, say; the next look comes.
        log.warn('a tenant’s models could not be watched for drift', { tenantId, error: describeError(error) })
      }
      if (clock.monotonicMs() < endsAtMs) continue
      beginBehind = tenantId
      log.warn('watching for drift takes longer than its time', { looked })
      break
    }
    return looked
  }
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
