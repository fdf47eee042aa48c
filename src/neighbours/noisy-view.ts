import { z } from 'zod'
import type { Evidence, Victim } from './find-noisy-neighbours'
import { alertIdOf, type Finding } from './finding'
import { noisyPolicyInput, rungs, type TenantPolicy } from './noisy-policy'

const share = z.number().meta({ description: '0 to 1.' })
const tokens = z.int().meta({ description: 'Tokens a minute.' })

const victim = z.object({
  tenantId: z.string(),
  backendId: z.string(),
  calls: z.int(),
  impaired: z
    .int()
    .meta({ description: 'Slower than nearly all of its calls at this hour usually are, or not served.' }),
  p95Ms: z.int().optional(),
  usualP95Ms: z.int().optional(),
  lost: z.int(),
  throttled: z.int(),
  queuedMs: z.int(),
})

const evidence = z.object({
  backendIds: z.array(z.string()),
  load: tokens,
  offered: tokens,
  usual: tokens,
  most: tokens,
  share,
  entitledShare: share,
  entitled: tokens,
  impairedShare: share,
  impairedShareElsewhere: share,
  victims: z.array(victim),
})

export const shownFinding = z
  .object({
    tenantId: z.string(),
    poolId: z.string(),
    backendIds: z.array(z.string()),
    aliases: z.array(z.string()),
    alertId: z.string(),
    state: z.enum(['open', 'over']),
    rung: z.enum(rungs).optional().meta({ description: 'What is done about it; absent when it is over.' }),
    since: z.iso.datetime().optional().meta({ description: 'Of the rung.' }),
    foundAt: z.iso.datetime(),
    closedAt: z.iso.datetime().optional(),
    harms: z.boolean().meta({ description: 'Whether others suffered when it was last judged.' }),
    tokensPerMinute: z.int().optional().meta({ description: 'What it is throttled to.' }),
    evidence,
  })
  .meta({ id: 'NoisyNeighbour' })

export const findingPage = z.object({ findings: z.array(shownFinding), next: z.string().optional() })

export const shownPolicy = noisyPolicyInput.extend({
  isDefault: z.boolean().meta({ description: 'Nobody has set one for this tenant.' }),
  liftedTo: z.iso.datetime().optional().meta({ description: 'No measures before this.' }),
})

export const liftInput = z.strictObject({
  holdMinutes: z
    .int()
    .min(0)
    .max(7 * 24 * 60)
    .default(60)
    .meta({ description: 'No measures against the tenant for so long.' }),
})

export const lifted = z.object({ liftedTo: z.iso.datetime(), findings: z.array(shownFinding) })

const time = (ms: number) => new Date(ms).toISOString()

export function findingView(finding: Finding): z.infer<typeof shownFinding> {
  const { tenantId, poolId, backendIds, aliases, ladder, foundAtMs, closedAtMs, harms, tokensPerMinute } = finding
  return {
    tenantId,
    poolId,
    backendIds: [...backendIds],
    aliases: [...aliases],
    alertId: alertIdOf(finding),
    state: ladder ? 'open' : 'over',
    ...(ladder ? { rung: ladder.rung, since: time(ladder.sinceMs) } : {}),
    foundAt: time(foundAtMs),
    ...(closedAtMs === undefined ? {} : { closedAt: time(closedAtMs) }),
    harms,
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
    evidence: evidenceView(finding.evidence),
  }
}

const evidenceView = ({ poolId: _pool, backendIds, victims, ...figures }: Evidence): z.infer<typeof evidence> => ({
  ...figures,
  backendIds: [...backendIds],
  victims: victims.map(victimView),
})

const victimView = ({ p95Ms, usualP95Ms, ...figures }: Victim): z.infer<typeof victim> => ({
  ...figures,
  ...(p95Ms === undefined ? {} : { p95Ms }),
  ...(usualP95Ms === undefined ? {} : { usualP95Ms }),
})

export const policyView = (
  { policy, isDefault, liftedToMs }: TenantPolicy,
  nowMs: number,
): z.infer<typeof shownPolicy> => ({
  ...policy,
  isDefault,
  ...(liftedToMs > nowMs ? { liftedTo: time(liftedToMs) } : {}),
})

export const liftedView = ({ liftedToMs, findings }: { liftedToMs: number; findings: readonly Finding[] }) => ({
  liftedTo: time(liftedToMs),
  findings: findings.map(findingView),
})
