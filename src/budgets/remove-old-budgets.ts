import { eachOf } from '../base/each-of'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { fromJsonColumns } from '../storage/json-columns'
import { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { BudgetState } from './budget-state'
import { decodeBudget, type StoredRow } from './budget-store'
import { HOUR_MS, periodStartMs } from './period'

/** Of tenants, whose rows are read one page after another. */
const TENANTS_AT_ONCE = 8
/** Behind every name of a row: those begin with letters. */
const END = '~'

export interface OldBudgetsDeps {
  readonly table: TenantTable<Columns>
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly clock: Clock
}

/**
 * Removes rows that say nothing of this month: of keys that were revoked, of aliases that are gone, of tenants that pause. Whoever
 * calls again finds what the usage log says, which for such a row is the same. How many there were. Broken off or twice at
 * once: a row that somebody writes meanwhile stays.
 */
export async function removeOldBudgets({ table, tenantIds, clock }: OldBudgetsDeps): Promise<number> {
  let removed = 0
  await eachOf(tenantIds(), TENANTS_AT_ONCE, async (tenantId) => {
    const count = await removeOf(table, TenantScope.ofPlatform(tenantId), clock)
    removed += count
  })
  return removed
}

async function removeOf(table: TenantTable<Columns>, scope: TenantScope, clock: Clock): Promise<number> {
  const rows = table.partition(scope)
  let removed = 0
  for await (const { rowKey, columns, etag } of rows.range('', END)) {
    if (!isOver(decodeBudget(fromJsonColumns<StoredRow>(columns)), clock.now())) continue
    await rows.remove(rowKey, etag)
    removed++
  }
  return removed
}

/** Whether all that it counts is of earlier months, and nobody holds anything of it. */
function isOver({ asOfMs, holders }: BudgetState, nowMs: number): boolean {
  // An hour later than the month's turn: an instance whose clock is a little behind still counts in the month before.
  const month = periodStartMs('month', nowMs - HOUR_MS)
  return asOfMs < month && [...holders.values()].every(({ expiresAtMs }) => expiresAtMs < month)
}
