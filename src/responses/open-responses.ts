import type { ResponseId, TenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'

/**
 * Responses in the background that are not metered yet, all tenants together, so that the follow-up finds them whoever began them.
 * Rows of the platform with ids alone; a row's key begins with its tenant (I2).
 */
export interface OpenResponses {
  add(open: OpenResponse): Promise<void>
  remove(open: OpenResponse): Promise<void>
  /** Those behind one, in the order of tenants; at most so many. */
  after(last: OpenResponse | undefined, rowsMax: number): Promise<OpenResponse[]>
  of(tenantId: TenantId): Promise<OpenResponse[]>
}

export interface OpenResponse {
  readonly tenantId: TenantId
  readonly id: ResponseId
}

const FIRST = 'ten_'
const END = 'ten_~'

export function createOpenResponses(rows: PartitionTable<Columns>): OpenResponses {
  const between = async (from: string, to: string, rowsMax = Infinity) => {
    const found: OpenResponse[] = []
    for await (const { columns } of rows.range(from, to)) {
      found.push(fromJsonColumns<OpenResponse>(columns))
      if (found.length >= rowsMax) break
    }
    return found
  }
  return {
    add: (open) => rows.put(keyOf(open), toJsonColumns(open)),
    remove: (open) => rows.remove(keyOf(open)),
    after: (last, rowsMax) => between(last ? `${keyOf(last)}~` : FIRST, END, rowsMax),
    of: (tenantId) => between(`${tenantId}-`, `${tenantId}-~`),
  }
}

const keyOf = ({ tenantId, id }: OpenResponse) => `${tenantId}-${id}`
