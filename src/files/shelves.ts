import type { TenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { TenantScope } from '../storage/tenant-scope'
import { emptyShelf, type Shelf } from './shelf'

export interface Shelves {
  get(scope: TenantScope): Promise<Shelf>
  /**
   * Changes the shelf to what `edit` makes of it, and gives its answer. It may be asked more than once, by others' changes in
   * between; the same shelf back writes nothing.
   */
  change<T>(scope: TenantScope, edit: ShelfEdit<T>): Promise<T>
}

export type ShelfEdit<T> = (shelf: Shelf) => { readonly shelf: Shelf; readonly answer: T }

export const SHELF_ROW = 'shelf'
const CHANGE_ATTEMPTS_MAX = 50
/** Edits of one tenant that go into one write. */
const EDITS_AT_ONCE = 100

/** Runs one edit on a shelf, and settles who asked for it when the shelf is written. */
interface Queued {
  apply(shelf: Shelf): Shelf
  written(): void
  failed(error: unknown): void
}

/**
 * Edits of a tenant that meet on this instance go into one write, one write at a time: many files that come at once would
 * otherwise each lose the race for the row again and again.
 */
export function createShelves(rows: TenantTable<Columns>): Shelves {
  const queues = new Map<TenantId, Queued[]>()

  const read = async (scope: TenantScope) => {
    const row = await rows.get(scope, SHELF_ROW)
    return { shelf: row ? fromJsonColumns<Shelf>(row.columns) : emptyShelf, etag: row?.etag }
  }
  const write = async (scope: TenantScope, edits: readonly Queued[]) => {
    for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
      const { shelf, etag } = await read(scope)
      const next = edits.reduce((before, edit) => edit.apply(before), shelf)
      if (next === shelf) return
      const columns = toJsonColumns(next)
      const result = await (etag === undefined
        ? rows.insert(scope, SHELF_ROW, columns)
        : rows.replace(scope, SHELF_ROW, columns, etag))
      if (result.kind === 'written') return
    }
    throw new Error('others are changing this tenant’s files at the moment')
  }
  const writeQueued = async (scope: TenantScope, queue: Queued[]) => {
    while (queue.length > 0) {
      const edits = queue.splice(0, EDITS_AT_ONCE)
      try {
        await write(scope, edits)
        for (const edit of edits) edit.written()
      } catch (error) {
        for (const edit of edits) edit.failed(error)
      }
    }
    queues.delete(scope.tenantId)
  }

  return {
    get: async (scope) => (await read(scope)).shelf,
    change: <T>(scope: TenantScope, edit: ShelfEdit<T>) =>
      new Promise<T>((resolve, reject) => {
        let settle = () => {}
        const queued: Queued = {
          apply: (shelf) => {
            const { shelf: next, answer } = edit(shelf)
            settle = () => resolve(answer)
            return next
          },
          written: () => settle(),
          failed: reject,
        }
        const queue = queues.get(scope.tenantId)
        if (queue) return void queue.push(queued)
        const started = [queued]
        queues.set(scope.tenantId, started)
        void writeQueued(scope, started)
      }),
  }
}
