import type { BudgetSubject } from '../budgets/budget-store'
import { nothing, type Amount } from '../budgets/amount'
import type { HoldResult } from '../budgets/standing-holds'
import type { TenantSnapshot } from '../tenants/snapshot'
import type { BatchDeps } from './batch-deps'
import { holderOf, type BatchRun } from './batch-operation'
import type { BatchRecord } from './batch-record'

/** Longer than hosts are down; renewed at every look at the batch. */
const HELD_MS = 3 * 3_600_000

/** Holds the batch's estimate of every budget that holds for it, or goes on holding it. */
export function holdEstimate(
  { holds, clock }: BatchDeps,
  { scope, id, record }: BatchRun,
  tenant: TenantSnapshot | undefined,
): Promise<HoldResult> {
  const { work, by } = record
  const budgetsOf = (subject: BudgetSubject) => {
    switch (subject.kind) {
      case 'tenant':
        return tenant?.budgets ?? {}
      case 'key':
        return by.budgets ?? {}
      case 'alias':
        return tenant?.aliases[subject.alias]?.budgets ?? {}
    }
  }
  const subjects = subjectsOf(record).map((subject) => ({ subject, budgets: budgetsOf(subject) }))
  const untilMs = clock.now() + HELD_MS
  return holds.hold({ scope, subjects, holder: holderOf(id), cost: work?.estimate ?? nothing, untilMs })
}

/** What the batch used takes the place of what it held; repeating it changes nothing. */
export function settleEstimate(
  { holds, clock }: BatchDeps,
  { scope, id, record }: Pick<BatchRun, 'scope' | 'id' | 'record'>,
  used: Amount = nothing,
): Promise<void> {
  const usedAtMs = record.metering?.atMs ?? clock.now()
  return holds.release({ scope, subjects: subjectsOf(record), holder: holderOf(id), used, usedAtMs })
}

function subjectsOf({ by: { keyId }, work }: BatchRecord): readonly BudgetSubject[] {
  return [
    { kind: 'tenant' },
    ...(keyId ? [{ kind: 'key', keyId } as const] : []),
    ...(work ? [{ kind: 'alias', alias: work.alias } as const] : []),
  ]
}

/** Says at its deployment that the batch is still there; true while it has its turn. */
export function keepTurn(
  { lanes, clock }: BatchDeps,
  { scope, id, record: { work } }: BatchRun,
  pauseMs: number,
): Promise<boolean> {
  if (!work) return Promise.resolve(false)
  const { estimate, weight, backendId } = work
  const againMs = clock.now() + pauseMs
  return lanes.take(backendId, { batchId: id, tenantId: scope.tenantId, tokens: estimate.tokens, weight, againMs })
}
