import { Problem } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import type { SealedRecords } from './sealed-records'

/** Those of one record whom somebody else can outrun before it is given up: each of them lost to a change that landed. */
const ATTEMPTS_MAX = 20

/**
 * What becomes of a sealed record by `edit`, which is asked again with what is there whenever somebody was faster. The same value back,
 * undefined, or a problem changes nothing; what is given where nothing was is written anew. Throws where others go on changing it.
 */
export async function changeRecord<T, Denial extends Problem | undefined = undefined>(
  records: Pick<SealedRecords, 'get' | 'putIfAbsent' | 'replace'>,
  scope: TenantScope,
  id: string,
  edit: (value: T | undefined) => T | Denial,
): Promise<T | Denial> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const found = await records.get<T>(scope, id)
    const next = edit(found?.value)
    if (next === undefined || next instanceof Problem || next === found?.value) return next
    const result = await (found ? records.replace(scope, id, next, found.etag) : records.putIfAbsent(scope, id, next))
    if (result.kind === 'written') return next
  }
  throw new Error(`others are changing the record ${id} at the moment`)
}
