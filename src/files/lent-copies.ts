import type { Clock } from '../base/clock'
import type { TenantScope } from '../storage/tenant-scope'
import { CLEARING_MARGIN_MS, LENT_MS } from './file-bounds'
import { ended, noted } from './shelf'
import type { Shelves } from './shelves'
import type { Transit } from './transit'

/**
 * Copies in the clear that an account fetches by itself, each by an address that holds for `LENT_MS`. The shelf says that one is there
 * before it is: whatever becomes of who lent it, the sweep takes it back.
 */
export interface LentCopies {
  /** The address; undefined where too much of this tenant is under way. */
  lend(scope: TenantScope, name: string, content: AsyncIterable<Uint8Array>): Promise<string | undefined>
  /** One that is gone is no error. */
  takeBack(scope: TenantScope, name: string): Promise<void>
}

export function createLentCopies({
  shelves,
  transit,
  clock,
}: {
  shelves: Shelves
  transit: Transit
  clock: Clock
}): LentCopies {
  return {
    lend: async (scope, name, content) => {
      const nowMs = clock.now()
      const expiresAtMs = nowMs + LENT_MS
      const isNoted = await shelves.change(scope, (shelf) => {
        const next = noted(shelf, name, { kind: 'lent', bytes: 0, until: expiresAtMs + CLEARING_MARGIN_MS })
        return { shelf: next ?? shelf, answer: next !== undefined }
      })
      if (!isNoted) return undefined
      const outgoing = await transit.at(scope, 'outgoing')
      await outgoing.write(name, content)
      return outgoing.link(name, { right: 'read', nowMs, expiresAtMs })
    },
    takeBack: async (scope, name) => {
      await transit.discard(scope, 'outgoing', name)
      await shelves.change(scope, (shelf) => ({ shelf: ended(shelf, name), answer: undefined }))
    },
  }
}
