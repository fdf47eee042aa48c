import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, Row, TenantTable } from '../storage/tenant-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { Period } from './calendar'
import type { Credit, CreditId } from './credit'

export interface Credits {
  /** One of this id that is there already is answered as it is. */
  enter(scope: TenantScope, credit: Credit): Promise<StoredCredit>
  /** The oldest first; `after` is the last id of the page before. */
  page(scope: TenantScope, page: { after?: CreditId | undefined; limit: number }): Promise<readonly StoredCredit[]>
  /** Those that no invoice has yet, the oldest first; at most CREDITS_PER_INVOICE_MAX. */
  open(scope: TenantScope): Promise<readonly Credit[]>
  /** They stand on the invoice of this month from now on. Repeated it changes nothing. */
  settle(scope: TenantScope, ids: readonly CreditId[], on: Period): Promise<void>
}

export interface StoredCredit extends Credit {
  /** The month of the invoice that has it; absent while none has. */
  readonly on?: Period | undefined
}

/** What is more goes on the invoice after: with the longest reasons these are a quarter of an invoice's room. */
const CREDITS_PER_INVOICE_MAX = 100

const PREFIX = 'credit~'
const END = 'credit~~'
const JUST_AFTER = '!'

export function createCredits(rows: TenantTable<Columns>): Credits {
  const read = ({ columns }: Row<Columns>) => fromJsonColumns<StoredCredit>(columns)
  const get = async (scope: TenantScope, id: CreditId) => {
    const row = await rows.get(scope, PREFIX + id)
    return row && { stored: read(row), etag: row.etag }
  }
  return {
    enter: async (scope, credit) => {
      await rows.insert(scope, PREFIX + credit.id, toJsonColumns(credit))
      return (await get(scope, credit.id))?.stored ?? credit
    },
    page: async (scope, { after, limit }) => {
      const from = after === undefined ? PREFIX : PREFIX + after + JUST_AFTER
      const found: StoredCredit[] = []
      for await (const row of rows.range(scope, from, END)) if (found.push(read(row)) >= limit) break
      return found
    },
    open: async (scope) => {
      const found: Credit[] = []
      for await (const row of rows.range(scope, PREFIX, END)) {
        const { on, ...credit } = read(row)
        if (on === undefined && found.push(credit) >= CREDITS_PER_INVOICE_MAX) break
      }
      return found
    },
    settle: async (scope, ids, on) => {
      for (const id of ids) {
        const found = await get(scope, id)
        if (!found || found.stored.on !== undefined) continue
        // A lost race was lost to somebody who says the same.
        await rows.replace(scope, PREFIX + id, toJsonColumns({ ...found.stored, on }), found.etag)
      }
    },
  }
}
