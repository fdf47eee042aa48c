import type { OperationId } from '../base/ids'
import type { StartedOrchestration } from '../base/durable-steps'
import { onboardingIdOf, type OnboardingInput } from '../onboarding/onboarding-input'
import type { Backend } from '../routing/backend'
import type { TenantInput } from '../tenants/tenant-input'
import { tierNames, type TierName } from '../tenants/snapshot'
import { tiers } from '../tenants/tiers'
import type { ObservedHours } from './observed-hours'
import { OUTPUT_WEIGHT_DEFAULT } from './provisioned/terms'
import type { LimitOutlook } from './limit-outlook'
import type { Limits, Outlook } from './outlook'
import { sizeWithin, type TierSizes } from './run'

/** What a deployment that tenants share has, in tokens a minute: what it can take, and what is expected of its fullest minute. */
export interface SharedDeployment {
  readonly backend: Pick<Backend, 'id' | 'name' | 'region' | 'enabled'>
  /** Undefined where nobody said what it can take. */
  readonly tokensPerMinute: number | undefined
  /** Within a month, as likely more as less; and with a chance of one in ten. */
  readonly expected: number
  readonly upper: number
}

export interface Headroom {
  readonly deployments: readonly SharedDeployment[]
  /** Over deployments of which it is known; what is expected comes off, and what onboarding tenants are going to need. */
  readonly tokensPerMinute: number
  readonly onboarding: {
    readonly tenants: number
    readonly limitTokensPerMinute: number
    readonly likelyTokensPerMinute: number
  }
  readonly fits: readonly TierFit[]
}

/** More tenants of a tier that fit: if each used its whole limit at once, and if each is as large as nine of ten of its tier are. */
export interface TierFit {
  readonly tier: TierName
  readonly byLimit: number
  /** Undefined where no tenant of the tier uses anything yet. */
  readonly byUse: number | undefined
  readonly likelyTokensPerMinute: number | undefined
}

const HEADROOM_DAYS = 30
/** Of a tier's tenants, how many are no larger than what is taken for one of them. */
const LIKELY_SHARE = 0.9

/** Pure. Deployments are added up as if all were fullest in the same minute, which is the worst that they can do. */
export function headroom(
  deployments: readonly SharedDeployment[],
  {
    onboarding,
    tierSizes,
  }: { onboarding: readonly Wanted[]; tierSizes: Readonly<Partial<Record<TierName, TierSizes>>> },
): Headroom {
  const known = deployments.filter(({ backend, tokensPerMinute }) => backend.enabled && tokensPerMinute !== undefined)
  const free = sum(known.map(({ tokensPerMinute = 0, expected }) => Math.max(0, tokensPerMinute - expected)))
  const likelyOf = (tier: TierName) => sizeWithin(tierSizes[tier] ?? { counts: [] }, LIKELY_SHARE)
  const limitTokensPerMinute = sum(onboarding.map(({ tokensPerMinute }) => tokensPerMinute))
  const likelyTokensPerMinute = sum(
    onboarding.map((wanted) => Math.min(wanted.tokensPerMinute, likelyOf(wanted.tier) ?? Infinity)),
  )
  const fitting = (room: number, each: number) => Math.floor(Math.max(0, room) / each)
  return {
    deployments,
    tokensPerMinute: free,
    onboarding: { tenants: onboarding.length, limitTokensPerMinute, likelyTokensPerMinute },
    fits: tierNames.map((tier) => {
      const likely = likelyOf(tier)
      return {
        tier,
        byLimit: fitting(free - limitTokensPerMinute, tiers[tier].limits.tokensPerMinute),
        byUse: likely && fitting(free - likelyTokensPerMinute, likely),
        likelyTokensPerMinute: likely,
      }
    }),
  }
}

/** What a tenant that is being onboarded has asked for. */
export interface Wanted {
  readonly tier: TierName
  readonly tokensPerMinute: number
}

/** Of onboardings that have not ended, waiting ones too: what they want of the shared deployments of a model in a region. Pure. */
export function wantedBy(
  running: readonly StartedOrchestration[],
  { model, region }: { readonly model: string; readonly region?: string | undefined },
): readonly Wanted[] {
  return running.flatMap(({ instanceId, input }) => {
    const tenant = onboardingOf(instanceId, input)
    if (!tenant || tenant.isolation.models !== 'shared') return []
    if (!tenant.aliases.some((alias) => alias.model === model)) return []
    if (region !== undefined && tenant.residency.length > 0 && !tenant.residency.includes(region)) return []
    const limit = tenant.limitOverrides.tokensPerMinute ?? tiers[tenant.tier].limits.tokensPerMinute
    return { tier: tenant.tier, tokensPerMinute: limit }
  })
}

/** An instance's input is its checklist's: the tenant's id, and what its onboarding was started with. */
function onboardingOf(instanceId: string, input: unknown): TenantInput | undefined {
  const started = input as {
    readonly tenantId?: Parameters<typeof onboardingIdOf>[0]
    readonly input?: OnboardingInput
  } | null
  if (!started?.tenantId || instanceId !== (onboardingIdOf(started.tenantId) satisfies OperationId)) return undefined
  return started.input?.tenant
}

export interface SharedFacts {
  readonly limits: Limits
  readonly outlook: Outlook | undefined
  readonly hours: ObservedHours | undefined
  /** Of provisioned throughput. */
  readonly outputWeight: number | undefined
}

/** What of an outlook counts here, in tokens: provisioned throughput counts input tokens, and an output token as several. */
export function sharedDeployment(
  backend: SharedDeployment['backend'],
  { limits, outlook, hours, outputWeight }: SharedFacts,
): SharedDeployment {
  const isProvisioned = limits.inputTokensPerMinute !== undefined
  const forecast = outlook?.forecasts[isProvisioned ? 'peakLoad' : 'peakTokens']
  const most = (path: readonly number[]) => Math.max(0, ...path.slice(0, HEADROOM_DAYS))
  const tokensPerLoad = isProvisioned ? tokensPerLoadOf(hours, outputWeight ?? OUTPUT_WEIGHT_DEFAULT) : 1
  const limit = limits.inputTokensPerMinute ?? limits.tokensPerMinute
  const inTokens = (load: number) => Math.round(load * tokensPerLoad)
  const [expected, upper] =
    forecast?.kind === 'forecast' ? [most(forecast.expected), most(forecast.upper)] : lastSeen(outlook?.limits)
  return {
    backend,
    tokensPerMinute: limit === undefined ? undefined : inTokens(limit),
    expected: inTokens(expected),
    upper: inTokens(upper),
  }
}

/** Without a forecast, what was used of late. */
function lastSeen(limits: readonly LimitOutlook[] = []): [number, number] {
  const used = Math.max(0, ...limits.filter(({ name }) => name !== 'requestsPerMinute').map((limit) => limit.used))
  return [used, used]
}

/** By the mix of the last weeks; where there was none, by four input tokens to one of output. */
function tokensPerLoadOf(hours: ObservedHours | undefined, outputWeight: number): number {
  const [input, output] = [sum(hours?.inputTokens ?? []), sum(hours?.outputTokens ?? [])]
  return input + output > 0
    ? (input + output) / (input + outputWeight * output)
    : (MIX_INPUT + 1) / (MIX_INPUT + outputWeight)
}
const MIX_INPUT = 4

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
