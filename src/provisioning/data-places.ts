import { assertNever } from '../base/assert'
import type { Problem } from '../base/problem'
import type { Removal } from '../checklists/removal'
import { ownPlaceOf, type Places } from '../storage/places'
import type { DataPlace } from '../storage/tenant-data'
import type { TenantScope } from '../storage/tenant-scope'
import type { Isolation } from '../tenants/tenant-record'
import type { Generation } from './resource-names'
import type { TenantStorageAccounts, WantedAccount } from './storage-account'

/** The place of each level of data isolation (product 2.2), made where it has to be, and given back. */
export interface DataPlaces {
  /** One step towards the place, its tables and containers being there. */
  ensure(scope: TenantScope, data: Isolation['data'], wanted: WantedAccount): Promise<PlaceEnsured>
  /** One step towards nothing of the tenant being there; an account of its own goes whole. */
  release(scope: TenantScope, place: DataPlace): Promise<Removal>
  /** Whatever was made for a place that the tenant never got to. */
  discard(scope: TenantScope, generation: Generation): Promise<Removal>
  /** The same everywhere, also where a step or a move that broke off may have left something. */
  releaseAll(scope: TenantScope): Promise<Removal>
  /** Rows, blobs and accounts, wherever they are. */
  census(scope: TenantScope): Promise<number>
}

export type PlaceEnsured =
  | { readonly kind: 'ready'; readonly place: DataPlace }
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
  | { readonly kind: 'failed'; readonly problem: Problem }

export function createDataPlaces(places: Places, accounts: TenantStorageAccounts): DataPlaces {
  const placeOf = async (scope: TenantScope, data: Isolation['data'], wanted: WantedAccount): Promise<PlaceEnsured> => {
    switch (data) {
      case 'logical':
        return { kind: 'ready', place: { kind: 'logical' } }
      case 'container':
        return { kind: 'ready', place: ownPlaceOf(scope) }
      case 'account': {
        const ensured = await accounts.ensure(scope, wanted)
        return ensured.kind === 'ready'
          ? { kind: 'ready', place: { kind: 'account', account: ensured.account } }
          : ensured
      }
      default:
        return assertNever(data)
    }
  }
  return {
    ensure: async (scope, data, wanted) => {
      const ensured = await placeOf(scope, data, wanted)
      if (ensured.kind === 'ready') await places.prepare(scope, ensured.place)
      return ensured
    },
    release: async (scope, place) => {
      if (place.kind !== 'account') {
        await places.empty(scope, place)
        return { kind: 'removed' }
      }
      const { resourceId: released } = place.account
      return accounts.remove(scope, ({ resourceId }) => resourceId === released)
    },
    discard: async (scope, discarded) => {
      const inUse = await places.get(scope)
      const kept = inUse.kind === 'account' ? inUse.account.resourceId : undefined
      return accounts.remove(scope, ({ generation, resourceId }) => generation === discarded && resourceId !== kept)
    },
    releaseAll: async (scope) => {
      // First, nobody looks there any more: asked for again, what goes with it finds nothing rather than waiting for an account that
      // Azure is deleting, or has.
      if ((await places.get(scope)).kind !== 'logical') await places.set(scope, { kind: 'logical' })
      for (const place of inPlatformAccount(scope)) await places.empty(scope, place)
      return accounts.remove(scope, () => true)
    },
    census: async (scope) => {
      const counts = await Promise.all(inPlatformAccount(scope).map((place) => places.census(scope, place)))
      const inTables = counts.flatMap((count) => Object.values(count)).reduce((total, count) => total + count, 0)
      return inTables + (await accounts.census(scope))
    },
  }
}

const inPlatformAccount = (scope: TenantScope): readonly DataPlace[] => [{ kind: 'logical' }, ownPlaceOf(scope)]
