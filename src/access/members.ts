import { Problem } from '../base/problem'
import type { Clock } from '../base/clock'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { TenantRole } from './permissions'

/** A user or an application of a directory, with its role in a tenant. */
export interface Member extends Principal {
  readonly role: TenantRole
  /** Unix milliseconds. */
  readonly addedAt: number
}

export interface Principal {
  readonly directoryId: string
  readonly objectId: string
}

export type MemberId = `${string}~${string}`

export interface Members {
  /** Adds, or changes the role. Taking the last owner's role is a `conflict`. */
  put(scope: TenantScope, principal: Principal, role: TenantRole): Promise<Member | Problem>
  get(scope: TenantScope, id: MemberId): Promise<Member | undefined>
  /** Whether this was ever removed. Asked of nobody who is a member now; of others no app role of the directory's counts then. */
  isRemoved(scope: TenantScope, id: MemberId): Promise<boolean>
  /** Removing the last owner is a `conflict`; a missing member is none. */
  remove(scope: TenantScope, id: MemberId): Promise<Problem | undefined>
  /** In the order of their ids. At most `MEMBERS_MAX`. */
  list(scope: TenantScope): Promise<readonly Member[]>
  removeAll(scope: TenantScope): Promise<void>
}

export const memberStorage = { tables: ['members'] } as const
export const MEMBERS_MAX = 1_000

export const memberIdOf = ({ directoryId, objectId }: Principal): MemberId => `${directoryId}~${objectId}`

/**
 * Behind every member's id, which begins with a hexadecimal digit. They are never listed, so there may be any number; and they stay when
 * a member is added again, who counts before them: an addition and a removal at once must not leave neither.
 */
const TOMBSTONES = 'removed~'

export function createMembers({
  rows,
  clock,
  onChange,
}: {
  rows: TenantTable<Columns>
  clock: Clock
  /** Told of members that changed, so that this instance need not wait for its cache. */
  onChange: (scope: TenantScope, principal: Principal) => void
}): Members {
  const get = async (scope: TenantScope, id: MemberId) => {
    const row = await rows.get(scope, id)
    return row && fromJsonColumns<Member>(row.columns)
  }
  const list = async (scope: TenantScope) => {
    const found: Member[] = []
    for await (const { columns } of rows.range(scope, '', TOMBSTONES)) found.push(fromJsonColumns<Member>(columns))
    return found
  }
  const isLastOwner = async (scope: TenantScope, id: MemberId) => {
    const owners = (await list(scope)).filter(({ role }) => role === 'owner')
    return owners.length === 1 && owners.every((owner) => memberIdOf(owner) === id)
  }

  return {
    get,
    list,
    isRemoved: async (scope, id) => (await rows.get(scope, TOMBSTONES + id)) !== undefined,
    put: async (scope, { directoryId, objectId }, role) => {
      const id = memberIdOf({ directoryId, objectId })
      const known = await get(scope, id)
      if (!known && (await list(scope)).length >= MEMBERS_MAX)
        return new Problem('conflict', `A tenant has at most ${MEMBERS_MAX} members.`)
      if (known?.role === 'owner' && role !== 'owner' && (await isLastOwner(scope, id))) return lastOwner
      const member: Member = { directoryId, objectId, role, addedAt: known?.addedAt ?? clock.now() }
      await rows.put(scope, id, toJsonColumns(member))
      onChange(scope, member)
      return member
    },
    remove: async (scope, id) => {
      const known = await get(scope, id)
      if (!known) return undefined
      if (await isLastOwner(scope, id)) return lastOwner
      // Before the member goes, who counts as one until then: nobody is let in by an app role in between.
      await rows.put(scope, TOMBSTONES + id, toJsonColumns({ removedAt: clock.now() }))
      await rows.remove(scope, id)
      onChange(scope, known)
      return undefined
    },
    removeAll: async (scope) => {
      await rows.removeAll(scope)
    },
  }
}

const lastOwner = new Problem('conflict', 'This is the tenant’s last owner. Make somebody else an owner first.')
