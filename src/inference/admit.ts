import type { MicroUsd } from '../base/money'
import { Problem } from '../base/problem'
import type { Amount } from '../budgets/amount'
import type { BudgetKeeper, BudgetRefusal, ReservationRequest, ReservationResult } from '../budgets/budget-keeper'
import type { BudgetWarnings } from '../budgets/budget-warnings'
import { describeAmount, describeBudget } from '../budgets/describe-budget'
import type { AdmissionResult, Limiter, RateView } from '../limits/limiter'
import { noTokens, type TokenUsage } from '../metering/usage-record'
import { budgetWarnPercentsDefault, type Budgets } from '../tenants/budget'
import { measureNow } from '../tenants/measure'
import { accountOf } from './account'
import { rateHeaders } from './answer-headers'
import type { Grant } from './authorize'
import type { Estimate } from './estimate'

export interface AdmitDeps {
  readonly limiter: Limiter
  readonly budgets: BudgetKeeper
  readonly budgetWarnings: Pick<BudgetWarnings, 'unpriced'>
  readonly costOf: (model: string, usage: TokenUsage, atMs: number) => MicroUsd | undefined
}

export type CallAdmissionResult =
  | { readonly kind: 'admitted'; readonly admission: CallAdmission }
  | Exclude<AdmissionResult, { kind: 'admitted' }>
  | { readonly kind: 'over-budget'; readonly refusal: BudgetRefusal }
  /** By a measure of the platform's, until then (Unix milliseconds). */
  | { readonly kind: 'quarantined'; readonly untilMs: number }

/** What a call has reserved of every limit and budget that holds for it. */
export interface CallAdmission {
  readonly rates: RateView
  /** Exactly once, on every exit (I6). */
  settle(used: Amount): void
}

/**
 * Reserves a call's estimate of every limit and budget that holds for it: of its tenant, its key and the alias that it is
 * called by, or falls back to. The shared writes that cold rows need are done at the same time (I12).
 */
export async function admitCall(
  { limiter, budgets, budgetWarnings, costOf }: AdmitDeps,
  grant: Grant,
  { estimate, atMs }: { estimate: Estimate; atMs: number },
): Promise<CallAdmissionResult> {
  const { tenant, caller, alias } = grant
  const measure = measureNow(alias, atMs)
  if (measure?.kind === 'quarantine') return { kind: 'quarantined', untilMs: measure.untilMs }
  const account = accountOf(tenant)
  const limited = {
    tenantId: account.limitedAs,
    limits: account.limits,
    key: caller.limits && { keyId: caller.callerId, limits: caller.limits },
    alias: alias.limits && account.isOwn ? { name: alias.name, limits: alias.limits } : undefined,
    pool:
      measure?.kind === 'throttle'
        ? { poolId: measure.poolId, limits: { tokensPerMinute: measure.tokensPerMinute } }
        : undefined,
    tokens: estimate.total,
  }
  const subjects = account.isOwn ? subjectsOf(grant) : []
  if (subjects.length === 0) return withBudgets(await limiter.admit(limited), undefined)

  const usage = { ...noTokens, promptTokens: estimate.prompt, outputTokens: estimate.total - estimate.prompt }
  const price = costOf(alias.model, usage, atMs)
  if (price === undefined && subjects.some(({ budgets: of }) => of.microUsdPerDay ?? of.microUsdPerMonth))
    budgetWarnings.unpriced({ tenantId: tenant.tenantId, model: alias.model }, atMs)
  const reserving = budgets.reserve({
    tenantId: tenant.tenantId,
    subjects,
    warnPercents: tenant.settings.budgetWarnPercents ?? budgetWarnPercentsDefault,
    cost: { tokens: estimate.total, microUsd: price ?? 0 },
  })
  // Known at once: such a call is not to use up a limit of requests.
  if (!(reserving instanceof Promise) && reserving.kind === 'refused')
    return { kind: 'over-budget', refusal: reserving }
  const [admitted, reserved] = await bothOrNeither(limiter.admit(limited), Promise.resolve(reserving))
  return withBudgets(admitted, reserved)
}

/** Which limit, and the true wait (I7). */
export function limitRefusal(refused: Exclude<AdmissionResult, { kind: 'admitted' }>, tokens: number): Problem {
  if (refused.scope === 'pool') {
    const waitMs = refused.kind === 'refused' ? refused.retryAfterMs : ABOVE_MEASURE_RETRY_MS
    const text = `For a while the platform admits fewer tokens of this model: the tenant used far more than its share of it. Retry after ${Math.ceil(waitMs / 1_000)} s.`
    return new Problem('rate_limit_exceeded', text, { retryAfterMs: waitMs })
  }
  if (refused.kind === 'never-fits') {
    const text = `The call needs up to ${tokens} tokens; the ${refused.scope}'s limit is ${refused.tokensPerMinute} a minute. Ask for fewer output tokens or send less.`
    return new Problem('request_above_token_limit', text, { param: 'max_tokens' })
  }
  const { limit, scope, retryAfterMs, rates } = refused
  const seconds = Math.ceil(retryAfterMs / 1_000)
  const headers = rateHeaders(rates)
  if (limit === 'concurrentCalls') {
    const text = `The ${scope} has as many calls under way as it may. Retry after ${seconds} s.`
    return new Problem('concurrency_limit_exceeded', text, { retryAfterMs, headers })
  }
  const what = limit === 'requestsPerMinute' ? 'requests' : 'tokens'
  const text = `The ${scope}'s limit of ${what} per minute is used up. Retry after ${seconds} s.`
  return new Problem('rate_limit_exceeded', text, { retryAfterMs, headers })
}

/** A call above all that a measure leaves fits again when the measure has ended, which takes minutes. */
const ABOVE_MEASURE_RETRY_MS = 60_000

/** 429: every call of the tenant to this model is held back until then. */
function quarantined(untilMs: number, nowMs: number): Problem {
  const retryAfterMs = Math.max(1_000, untilMs - nowMs)
  const text = `The platform holds back the tenant's calls to this model until ${new Date(untilMs).toISOString()}: they were in other tenants' way, and went on being so when fewer were admitted.`
  return new Problem('quarantined', text, { retryAfterMs })
}

/** 429 that no wait within the period is sure to heal: which budget, what is left of it, and when it renews. */
export function overBudget({ subject, budget, limit, used, reserved, needed, renewsAtMs }: BudgetRefusal): Problem {
  const left = limit - used - reserved
  const amount = (of: number) => describeAmount(budget, of)
  const state =
    left <= 0
      ? `is used up: ${amount(limit)}.`
      : `has ${amount(left)} left of ${amount(limit)}, and this call may need up to ${amount(needed)}. Ask for fewer output tokens or send less.`
  const what = describeBudget(budget, subject)
  const text = `${what.charAt(0).toUpperCase()}${what.slice(1)} ${state} It renews at ${new Date(renewsAtMs).toISOString()}.`
  return new Problem('insufficient_quota', text)
}

/** The problem of a call that was not admitted. */
export function notAdmitted(
  refused: Exclude<CallAdmissionResult, { kind: 'admitted' }>,
  { tokens, nowMs }: { tokens: number; nowMs: number },
): Problem {
  if (refused.kind === 'over-budget') return overBudget(refused.refusal)
  return refused.kind === 'quarantined' ? quarantined(refused.untilMs, nowMs) : limitRefusal(refused, tokens)
}

function subjectsOf({ tenant, caller, alias }: Grant): ReservationRequest['subjects'] {
  const subjects: { subject: ReservationRequest['subjects'][number]['subject']; budgets: Budgets }[] = []
  if (hasAny(tenant.budgets)) subjects.push({ subject: { kind: 'tenant' }, budgets: tenant.budgets })
  if (hasAny(caller.budgets) && caller.principal.kind === 'key')
    subjects.push({ subject: { kind: 'key', keyId: caller.principal.keyId }, budgets: caller.budgets })
  if (hasAny(alias.budgets)) subjects.push({ subject: { kind: 'alias', alias: alias.name }, budgets: alias.budgets })
  return subjects
}

function hasAny(budgets: Budgets | undefined): budgets is Budgets {
  for (const name in budgets) if (Object.hasOwn(budgets, name)) return true
  return false
}

const unused: Amount = { tokens: 0, microUsd: 0 }

/** Where one of the two fails, what the other gave is given back. */
async function bothOrNeither(
  admitting: Promise<AdmissionResult>,
  reserving: Promise<ReservationResult>,
): Promise<[AdmissionResult, ReservationResult]> {
  const [admitted, reserved] = await Promise.allSettled([admitting, reserving])
  if (admitted.status === 'fulfilled' && reserved.status === 'fulfilled') return [admitted.value, reserved.value]
  if (admitted.status === 'fulfilled' && admitted.value.kind === 'admitted') admitted.value.admission.settle(0)
  if (reserved.status === 'fulfilled' && reserved.value.kind === 'reserved') reserved.value.reservation.settle(unused)
  throw admitted.status === 'rejected' ? admitted.reason : reserved.status === 'rejected' ? reserved.reason : undefined
}

function withBudgets(admitted: AdmissionResult, reserved: ReservationResult | undefined): CallAdmissionResult {
  if (reserved?.kind === 'refused') {
    if (admitted.kind === 'admitted') admitted.admission.settle(0)
    return { kind: 'over-budget', refusal: reserved }
  }
  if (admitted.kind !== 'admitted') {
    reserved?.reservation.settle(unused)
    return admitted
  }
  const { admission } = admitted
  return {
    kind: 'admitted',
    admission: {
      rates: admission.rates,
      settle: (used) => {
        reserved?.reservation.settle(used)
        admission.settle(used.tokens)
      },
    },
  }
}
