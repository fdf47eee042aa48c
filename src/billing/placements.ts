import { parseBackendId, type BackendId } from '../base/ids'
import type { Backend } from '../routing/backend'
import type { BillingRows } from './billing-rows'
import type { Day } from './calendar'
import type { PlacementOf } from './day-sheet'
import type { PriceEntry } from './price-entry'
import { provisionedHours } from './provisioned-price'

export interface PlacementsDeps {
  readonly backends: () => ReadonlyMap<BackendId, Backend> | Promise<ReadonlyMap<BackendId, Backend>>
  readonly rows: Pick<BillingRows, 'ownAccounts' | 'noteOwnAccount'>
}

/** Backends at accounts of tenants' own, those among them that are gone by now too. */
export async function ownAccounts({ backends, rows }: PlacementsDeps): Promise<ReadonlySet<BackendId>> {
  const known = await rows.ownAccounts()
  const present = [...(await backends()).values()].filter(isAtOwnAccount).map(({ id }) => id)
  return new Set([...known, ...present])
}

/** Remembers them, since a backend may be gone when its calls are billed. */
export async function noteOwnAccounts(deps: PlacementsDeps): Promise<void> {
  const known = await deps.rows.ownAccounts()
  for (const id of await ownAccounts(deps)) if (!known.has(id)) await deps.rows.noteOwnAccount(id)
}

/** What the platform makes for a tenant has a resource id; a tenant's own account has its key, its directory, or neither. */
const isAtOwnAccount = ({ credential, directoryId, ownerTenantId, resourceId }: Backend): boolean =>
  credential.kind === 'tenant-secret' ||
  directoryId !== undefined ||
  (ownerTenantId !== undefined && resourceId === undefined)

/** Where calls stand on a day, by the prices of that day; pure. */
export function placementsOn(
  day: Day,
  { own, entries }: { own: ReadonlySet<BackendId>; entries: readonly PriceEntry[] },
): PlacementOf {
  const priced = provisionedHours(entries, day)
  return (backend) => {
    const id = backend === null ? undefined : parseBackendId(backend)
    if (id === undefined) return 'metered'
    if (own.has(id)) return 'own-account'
    return priced.has(id) ? 'provisioned' : 'metered'
  }
}
