import type { TenantScope } from '../storage/tenant-scope'
import type { TenantTable } from '../storage/tenant-table'
import { decodeWindow, encodeWindow } from './window-codec'
import type { WindowState } from './window-state'

/** Where a tenant's window is kept: one row, changed only by whoever has seen its last version. */
export interface WindowStore {
  /** `signal` gives it up. */
  read(scope: TenantScope, signal?: AbortSignal): Promise<StoredWindow | undefined>
  /** Without a tag the row must not exist yet. What was thrown says nothing of whether the write has landed. */
  write(scope: TenantScope, state: WindowState, tag: string | undefined, signal?: AbortSignal): Promise<WindowWritten>
}

export interface StoredWindow {
  readonly state: WindowState
  readonly tag: string
}

export type WindowWritten = { readonly kind: 'written'; readonly tag: string } | { readonly kind: 'lost-race' }

/** One row a tenant: `window` holds the packed window, `asOf` is for people who look at the table. */
export type WindowColumns = { window: Uint8Array; asOf: Date }

const ROW_KEY = 'window'

export function tableWindowStore(table: TenantTable<WindowColumns>): WindowStore {
  return {
    read: async (scope, signal) => {
      const row = await table.partition(scope, signal).get(ROW_KEY)
      return row && { state: decodeWindow(row.columns.window), tag: row.etag }
    },
    write: async (scope, state, tag, signal) => {
      const rows = table.partition(scope, signal)
      const columns = { window: encodeWindow(state), asOf: new Date(state.asOfMs) }
      const result = tag === undefined ? await rows.insert(ROW_KEY, columns) : await rows.replace(ROW_KEY, columns, tag)
      return result.kind === 'written' ? { kind: 'written', tag: result.etag } : result
    },
  }
}
