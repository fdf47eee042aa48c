import type { TenantScope } from '../storage/tenant-scope'
import type { SealedRecords } from './sealed-records'

/** Removes the records of a tenant whose ids begin with one of the prefixes, one prefix after the other: again after a crash, the rest. */
export async function removeRecords(
  records: Pick<SealedRecords, 'ids' | 'remove'>,
  scope: TenantScope,
  prefixes: readonly string[],
  isWanted: (id: string) => boolean = () => true,
): Promise<void> {
  for (const prefix of prefixes)
    for await (const id of records.ids(scope, prefix)) if (isWanted(id)) await records.remove(scope, id)
}

export async function countRecords(
  records: Pick<SealedRecords, 'ids'>,
  scope: TenantScope,
  prefix: string,
): Promise<number> {
  let count = 0
  for await (const id of records.ids(scope, prefix)) count += id ? 1 : 0
  return count
}
