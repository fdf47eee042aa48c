import type { Places } from '../storage/places'
import type { TenantTransitContainer } from '../storage/tenant-data'
import type { TenantScope } from '../storage/tenant-scope'
import type { TransitBlobs } from '../storage/transit-blobs'

/** The tenant's transit containers, wherever its data lies. */
export interface Transit {
  at(scope: TenantScope, name: TenantTransitContainer): Promise<TransitBlobs>
  /**
   * Also from where the tenant's data lay before a move: a place of its own goes whole after a move, but into one that tenants share
   * somebody may still write by a link of before.
   */
  discard(scope: TenantScope, name: TenantTransitContainer, blob: string): Promise<void>
}

export function createTransit(places: Pick<Places, 'get' | 'transit'>): Transit {
  return {
    at: async (scope, name) => (await places.transit(scope, await places.get(scope)))[name],
    discard: async (scope, name, blob) => {
      const place = await places.get(scope)
      for (const each of place.kind === 'logical' ? [place] : [place, { kind: 'logical' } as const])
        await (await places.transit(scope, each))[name].discard(blob)
    },
  }
}
