import type { Caller } from '../access/caller'
import type { Clock } from '../base/clock'
import { parseResponseId } from '../base/ids'
import type { TenantScope } from '../storage/tenant-scope'
import type { ItemRecord, ResponseRecord } from './response-record'
import type { ResponseStore } from './response-store'

/** A response that the caller may know of; undefined alike for what is unknown, another tenant's, expired, or of another alias. */
export async function findResponse(
  { store, clock }: { store: Pick<ResponseStore, 'get'>; clock: Clock },
  scope: TenantScope,
  caller: Caller,
  text: string,
): Promise<ResponseRecord | undefined> {
  const id = parseResponseId(text)
  const record = id && (await store.get(scope, id))
  return record && isKnownTo(caller, record, clock) ? record : undefined
}

/** A key that is for some aliases knows what they made, and nothing else. */
export const isKnownTo = (
  caller: Pick<Caller, 'aliases'>,
  { alias, expiresAt }: Pick<ItemRecord, 'alias' | 'expiresAt'>,
  clock: Clock,
): boolean => clock.now() < expiresAt && (caller.aliases?.includes(alias) ?? true)
