import type { TenantScope } from '../storage/tenant-scope'
import type { HeldResponses } from './held-responses'
import type { OpenResponses } from './open-responses'
import type { ResponseStore } from './response-store'

/** What is kept of a tenant's responses, here and at the accounts that made them, for whoever deletes the tenant. */
export interface TenantResponses {
  /** False while an account does not answer: then come again. */
  remove(scope: TenantScope): Promise<boolean>
  census(scope: TenantScope): Promise<number>
}

export interface TenantResponsesDeps {
  readonly store: ResponseStore
  readonly open: OpenResponses
  readonly held: Pick<HeldResponses, 'remove'>
  readonly rowsOf: (scope: TenantScope) => Promise<number>
}

const AT_ONCE = 16
/** In one turn of the step that calls this, which comes again. */
const RESPONSES_MAX = 2_000

export const createTenantResponses = ({ store, open, held, rowsOf }: TenantResponsesDeps): TenantResponses => ({
  remove: async (scope) => {
    let isWhole = true
    let seen = 0
    for await (const records of inGroups(store.all(scope), AT_ONCE)) {
      const problems = await Promise.all(records.map((record) => held.remove(scope, record)))
      if (problems.some((problem) => problem !== undefined)) isWhole = false
      seen += records.length
      if (seen >= RESPONSES_MAX) return false
    }
    if (!isWhole) return false
    // Rows of items whose response is gone, and of responses that never had a row.
    await store.removeAll(scope)
    for (const one of await open.of(scope.tenantId)) await open.remove(one)
    return true
  },
  census: async (scope) => (await rowsOf(scope)) + (await open.of(scope.tenantId)).length,
})

async function* inGroups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = []
  for await (const item of items) {
    group.push(item)
    if (group.length < size) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
