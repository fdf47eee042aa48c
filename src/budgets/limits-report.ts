import { z } from 'zod'
import { keyState } from '../access/key-record'
import type { Keys } from '../access/keys'
import type { Clock } from '../base/clock'
import { leavesAtMs, minuteWindow, type Section, type SectionId, type WindowState } from '../limits/window-state'
import type { WindowStore } from '../limits/window-store'
import type { TenantScope } from '../storage/tenant-scope'
import { budgetNames, type Budgets } from '../tenants/budget'
import { compileSnapshot } from '../tenants/compile-snapshot'
import type { OwnLimits } from '../tenants/snapshot'
import type { Tenants } from '../tenants/tenants'
import { advanceBudget, standingOf } from './budget-state'
import type { BudgetStore, BudgetSubject } from './budget-store'
import { periodOf, renewsAtMs } from './period'
import { seedBudget, type SpentByLog } from './true-up'

/** Rows read at one time. */
const READS_AT_ONCE = 16

const limitNames = ['requestsPerMinute', 'tokensPerMinute', 'concurrentCalls'] as const

const whose = {
  of: z.enum(['tenant', 'key', 'alias']),
  keyId: z.string().optional(),
  alias: z.string().optional(),
}

const standing = {
  used: z.int().meta({ description: 'By calls of the window or period; 0 for concurrentCalls.' }),
  reserved: z.int().meta({ description: 'By calls under way, and leased to instances for calls to come.' }),
  remaining: z.int().meta({ description: 'What is neither used nor reserved; 0 where that is overrun.' }),
}

/** Every limit and budget of a tenant, and how it stands. */
export const limitsReport = z
  .object({
    asOf: z.iso.datetime(),
    limits: z.array(
      z.object({
        ...whose,
        name: z.enum(limitNames),
        limit: z.int(),
        ...standing,
        renewsAt: z.iso
          .datetime()
          .optional()
          .meta({ description: 'When all of it is there again if no call comes in between; absent where it is.' }),
      }),
    ),
    budgets: z.array(
      z.object({
        ...whose,
        name: z.enum(budgetNames),
        limit: z.int().meta({ description: 'Tokens, or micro-USD.' }),
        stop: z.boolean().meta({ description: 'Whether calls are refused once it is used up.' }),
        ...standing,
        renewsAt: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: 'LimitsReport' })
export type LimitsReport = z.infer<typeof limitsReport>

/** Undefined for a tenant that does not exist. What instances have not reported yet (some seconds of it) counts as reserved. */
export type ShowLimits = (scope: TenantScope) => Promise<LimitsReport | undefined>

export interface ShowLimitsDeps {
  readonly tenants: Pick<Tenants, 'get'>
  readonly keys: Pick<Keys, 'list'>
  readonly windows: WindowStore
  readonly budgets: BudgetStore
  readonly spentByLog: SpentByLog
  readonly clock: Clock
}

export function createShowLimits({ tenants, keys, windows, budgets, spentByLog, clock }: ShowLimitsDeps): ShowLimits {
  const budgetsOf = async (scope: TenantScope, { subject, ...held }: Holding) => {
    const nowMs = clock.now()
    if (budgetNames.every((name) => held.budgets[name] === undefined)) return []
    const stored = await budgets.read(scope, subject)
    const state = stored
      ? advanceBudget(stored.state, { nowMs })
      : await seedBudget((span) => spentByLog(scope, subject, span), nowMs)
    return budgetNames.flatMap((name) => {
      const budget = held.budgets[name]
      if (!budget) return []
      const { used, reserved } = standingOf(name, state, nowMs)
      const renewsAt = isoTime(renewsAtMs(periodOf[name], nowMs))
      return [{ ...whoseOf(subject), name, ...budget, ...leftOf(budget.limit, { used, reserved }), renewsAt }]
    })
  }
  return async (scope) => {
    const record = await tenants.get(scope)
    if (!record) return undefined
    const nowMs = clock.now()
    const active = (await keys.list(scope)).filter((key) => keyState(key, nowMs) === 'active')
    const { limits, budgets: own = {}, aliases } = compileSnapshot(record)
    const holdings: Holding[] = [
      { subject: { kind: 'tenant' }, limits, budgets: own },
      ...active.map((key): Holding => ({
        subject: { kind: 'key', keyId: key.keyId },
        limits: key.limits ?? {},
        budgets: key.budgets ?? {},
      })),
      ...Object.values(aliases).map((alias): Holding => ({
        subject: { kind: 'alias', alias: alias.name },
        limits: alias.limits ?? {},
        budgets: alias.budgets ?? {},
      })),
    ]
    const window = (await windows.read(scope))?.state
    return {
      asOf: isoTime(nowMs),
      limits: holdings.flatMap((holding) => limitsOf(holding, window, nowMs)),
      budgets: (await inTurns(holdings, (holding) => budgetsOf(scope, holding))).flat(),
    }
  }
}

interface Holding {
  readonly subject: BudgetSubject
  readonly limits: OwnLimits
  readonly budgets: Budgets
}

function limitsOf({ subject, limits }: Holding, window: WindowState | undefined, nowMs: number) {
  const section = window?.sections.get(sectionOf(subject))
  return limitNames.flatMap((name) => {
    const limit = limits[name]
    if (limit === undefined) return []
    const { emptyAtMs, ...sums } = sumsOf(name, section, nowMs)
    const renews = emptyAtMs > nowMs ? { renewsAt: isoTime(emptyAtMs) } : {}
    return [{ ...whoseOf(subject), name, limit, ...leftOf(limit, sums), ...renews }]
  })
}

/** Leases that have expired are still shown as reserved, until an instance next changes the row. */
function sumsOf(name: (typeof limitNames)[number], section: Section | undefined, nowMs: number) {
  const resource = name === 'requestsPerMinute' ? 'requests' : name === 'tokensPerMinute' ? 'tokens' : 'slots'
  let [used, reserved, emptyAtMs] = [0, 0, 0]
  for (const lease of section?.leases.values() ?? []) reserved += lease[resource]
  if (resource === 'slots') return { used, reserved, emptyAtMs }
  for (const spend of section?.spent ?? []) {
    const leaves = leavesAtMs(spend.cell, minuteWindow)
    if (leaves <= nowMs || spend[resource] === 0) continue
    used += spend[resource]
    emptyAtMs = Math.max(emptyAtMs, leaves)
  }
  return { used, reserved, emptyAtMs }
}

const leftOf = (limit: number, { used, reserved }: { used: number; reserved: number }) => ({
  used,
  reserved,
  remaining: Math.max(0, limit - used - reserved),
})

function sectionOf(subject: BudgetSubject): SectionId {
  if (subject.kind === 'tenant') return 'tenant'
  return subject.kind === 'key' ? subject.keyId : `alias.${subject.alias}`
}

function whoseOf(subject: BudgetSubject) {
  if (subject.kind === 'tenant') return { of: 'tenant' as const }
  return subject.kind === 'key'
    ? { of: 'key' as const, keyId: subject.keyId }
    : { of: 'alias' as const, alias: subject.alias }
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let i = 0; i < items.length; i += READS_AT_ONCE)
    results.push(...(await Promise.all(items.slice(i, i + READS_AT_ONCE).map(work))))
  return results
}

const isoTime = (timeMs: number) => new Date(timeMs).toISOString()
