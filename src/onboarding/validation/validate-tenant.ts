import { Problem, ProblemError } from '../../base/problem'
import { problemCodes } from '../../base/problem-codes'
import { TenantScope } from '../../storage/tenant-scope'
import { canaryAlias, canaryTenantId } from '../../tenants/canary'
import { compileSnapshot } from '../../tenants/compile-snapshot'
import type { ModelAlias } from '../../tenants/snapshot'
import type { TenantRecord } from '../../tenants/tenant-record'
import type { OnboardingDeps } from '../onboarding-deps'
import { checkStrangers } from './check-strangers'
import { makeProbeKeys, removeProbeKeys, type ProbeKeys } from './probe-keys'
import { callAlias, isTried, type PublicAnswer } from './public-call'

/** What the validation found, for the status; a problem where the tenant must not go live. */
export async function validateTenant(
  deps: OnboardingDeps,
  record: TenantRecord,
): Promise<Readonly<Record<string, string>> | Problem> {
  const scope = TenantScope.ofPlatform(record.tenantId)
  const aliases = Object.values(compileSnapshot(record).aliases)
  const tried = aliases.filter(isTried)
  const startedAt = deps.clock.now()
  await removeProbeKeys(deps, scope)
  const probe = await makeProbeKeys(deps, scope)
  try {
    const spent = await callEveryAlias(deps, probe, tried)
    if (spent instanceof Problem) return spent
    const [first] = tried
    const bitten = first ? await checkLimit(deps, probe, first) : { calls: 0, tokens: 0 }
    if (bitten instanceof Problem) return bitten
    const leak = await checkStrangers(deps, { probe, canary: await deps.canaryKey(), aliases, canaryAlias })
    if (leak) return leak
    const expected = { calls: spent.calls + bitten.calls, tokens: spent.tokens + bitten.tokens }
    const miscount = await checkMetering(deps, { probe, expected, startedAt })
    return miscount ?? { validationCalls: String(expected.calls), validationTokens: String(expected.tokens) }
  } finally {
    await removeProbeKeys(deps, scope)
  }
}

interface Spent {
  readonly calls: number
  readonly tokens: number
}

async function callEveryAlias(
  deps: OnboardingDeps,
  { caller }: ProbeKeys,
  aliases: readonly ModelAlias[],
): Promise<Spent | Problem> {
  let tokens = 0
  for (const alias of aliases) {
    const answer = await callAlias(deps, caller.apiKey, alias)
    const fault = faultOf(answer, alias)
    if (fault) return fault
    tokens += answer.tokens
  }
  return { calls: aliases.length, tokens }
}

/** A key that may call once a minute is let through once and refused the second time. */
async function checkLimit(deps: OnboardingDeps, { limited }: ProbeKeys, alias: ModelAlias): Promise<Spent | Problem> {
  const first = await callAlias(deps, limited.apiKey, alias)
  const fault = faultOf(first, alias)
  if (fault) return fault
  const second = await callAlias(deps, limited.apiKey, alias)
  if (second.status === 429 && second.code === 'rate_limit_exceeded') return { calls: 1, tokens: first.tokens }
  return new Problem(
    'validation_failed',
    `A limit of one call a minute let a second call through (HTTP ${second.status}).`,
  )
}

/** Undefined when the alias answered; throws where trying again may help. */
function faultOf({ status, code, message }: PublicAnswer, { name }: ModelAlias): Problem | undefined {
  if (status === 200) return undefined
  const text = `A call of the alias '${name}' was answered with HTTP ${status} (${code ?? 'no code'}): ${message ?? ''}`
  if (mayHeal(status, code)) throw new ProblemError(new Problem('validation_incomplete', text))
  return new Problem('validation_failed', text)
}

/** Our own codes say so themselves; whatever else stands in between is judged by its status. */
function mayHeal(status: number, code: string | undefined): boolean {
  const entry = Object.entries(problemCodes).find(([name]) => name === code)?.[1]
  return entry?.retryable ?? (status === 429 || status >= 500)
}

/** Answers settle a moment after they end; a count that is still short then stays short. */
const SETTLE_ATTEMPTS_MAX = 10
const SETTLE_PAUSE_MS = 200

/**
 * The usage log holds the validation's calls, all and nothing else, with the tokens that the answers named. They stand on the
 * platform's own account, since they are not the tenant's to pay.
 */
async function checkMetering(
  { queryUsage, clock }: OnboardingDeps,
  { probe, expected, startedAt }: { probe: ProbeKeys; expected: Spent; startedAt: number },
): Promise<Problem | undefined> {
  const scope = TenantScope.ofPlatform(canaryTenantId)
  const probes = [probe.caller.record.keyId, probe.limited.record.keyId] as readonly string[]
  let found: Spent = { calls: 0, tokens: 0 }
  for (let attempt = 0; attempt < SETTLE_ATTEMPTS_MAX; attempt++) {
    const from = new Date(startedAt).toISOString()
    const to = new Date(clock.now() + 60_000).toISOString()
    const report = await queryUsage(scope, { from, to, groupBy: 'key' })
    if (report instanceof Problem) return report
    const rows = report.rows.filter(({ key }) => key !== undefined && key !== null && probes.includes(key))
    found = {
      calls: rows.reduce((sum, row) => sum + row.calls, 0),
      tokens: rows.reduce((sum, row) => sum + row.promptTokens + row.outputTokens, 0),
    }
    if (found.calls === expected.calls && found.tokens === expected.tokens) return undefined
    await clock.sleep(SETTLE_PAUSE_MS)
  }
  const text = `The usage log has ${found.calls} calls with ${found.tokens} tokens of the validation; it made ${expected.calls} with ${expected.tokens}.`
  return new Problem('validation_failed', text)
}
