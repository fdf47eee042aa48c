import { keyState } from '../access/key-record'
import type { Keys } from '../access/keys'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import type { Log } from '../base/log'
import type { BudgetWarnings } from '../budgets/budget-warnings'
import type { BudgetStore, BudgetSubject } from '../budgets/budget-store'
import { seedBudget, type SpentByLog } from '../budgets/true-up'
import { TenantScope } from '../storage/tenant-scope'
import { budgetNames, budgetWarnPercentsDefault, type Budgets } from '../tenants/budget'
import type { TenantSnapshot } from '../tenants/snapshot'
import { createTenantWalk } from '../tenants/walk-tenants'

export interface WatchBudgetsDeps {
  readonly keys: Pick<Keys, 'list'>
  readonly budgets: Pick<BudgetStore, 'read'>
  /** Brings the roll-up up to now. */
  readonly freshen: () => Promise<void>
  /** By what is rolled up. */
  readonly spentByLog: SpentByLog
  readonly warnings: Pick<BudgetWarnings, 'look'>
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly clock: Clock
  readonly log: Log
}

/** A row that was written since has been looked at by whoever wrote it: calls see to their own budgets. */
const UNSEEN_MS = 3_600_000
const TENANTS_AT_ONCE = 8

/**
 * Warns of budgets that no call would: what was used grows without calls, too, by batches, trainings and hosting, and a budget that was
 * lowered is used up at once. On behalf of each tenant by itself (I4); how many budgets were looked at. A warning is given once,
 * however often this runs.
 */
export function createWatchBudgets(deps: WatchBudgetsDeps): () => Promise<number> {
  const look = (tenantId: TenantId) => lookAtTenant(deps, tenantId)
  const walk = createTenantWalk({ ...deps, atOnce: TENANTS_AT_ONCE, what: 'looking at budgets', look })
  return async () => {
    // Once for all: a query that rolls up by itself waits for its turn, of which there is one a second.
    await deps.freshen()
    return walk()
  }
}

async function lookAtTenant(deps: WatchBudgetsDeps, tenantId: TenantId): Promise<number> {
  const { budgets: store, spentByLog, warnings, clock, tenantOf } = deps
  const tenant = await tenantOf(tenantId)
  if (tenant?.state !== 'active') return 0
  const scope = TenantScope.ofPlatform(tenantId)
  const percents = tenant.settings.budgetWarnPercents ?? budgetWarnPercentsDefault
  let looked = 0
  for (const { subject, budgets } of await holdingsOf(deps, tenant, scope)) {
    const nowMs = clock.now()
    const stored = await store.read(scope, subject)
    if (stored && nowMs - stored.state.asOfMs < UNSEEN_MS) continue
    const state = await seedBudget((span) => spentByLog(scope, subject, span), nowMs)
    warnings.look({ tenantId }, { subject, budgets, state, percents }, nowMs)
    looked++
  }
  return looked
}

interface Holding {
  readonly subject: BudgetSubject
  readonly budgets: Budgets
}

/** Whatever of the tenant has a budget. */
async function holdingsOf(
  { keys, clock }: WatchBudgetsDeps,
  tenant: TenantSnapshot,
  scope: TenantScope,
): Promise<readonly Holding[]> {
  const nowMs = clock.now()
  const active = (await keys.list(scope)).filter((key) => keyState(key, nowMs) === 'active')
  const all: Holding[] = [
    { subject: { kind: 'tenant' }, budgets: tenant.budgets ?? {} },
    ...active.map(({ keyId, budgets = {} }): Holding => ({ subject: { kind: 'key', keyId }, budgets })),
    ...Object.values(tenant.aliases).map(({ name, budgets = {} }): Holding => ({
      subject: { kind: 'alias', alias: name },
      budgets,
    })),
  ]
  return all.filter(({ budgets }) => budgetNames.some((name) => budgets[name] !== undefined))
}
