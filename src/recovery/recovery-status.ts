import { z } from 'zod'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { leftOutReasons, leftOutText } from './left-out'
import type { ReplicaState, ReplicaStates } from './replica-state'

const time = z.iso.datetime()

const shownTenant = z
  .object({
    tenantId: z.string(),
    state: z.enum(['whole', 'first-pass', 'left-out']),
    lastFullPassAt: time.optional().meta({ description: 'What was so then is in the replica.' }),
    lagSeconds: z.int().optional().meta({ description: 'What would be lost with the first region, at most.' }),
    records: z.int(),
    leftOut: z.enum(leftOutReasons).optional(),
    why: z.string().optional(),
  })
  .meta({ id: 'TenantReplica' })

export const shownRecovery = z
  .object({
    enabled: z.boolean(),
    region: z.string().optional().meta({ description: 'Where the paired account is.' }),
    lastRunAt: time.optional(),
    lagSeconds: z.int().optional().meta({ description: 'Of the tenant that is most behind.' }),
    lagSecondsMax: z.int().optional().meta({ description: 'Above it there is an alert.' }),
    replicated: z.int(),
    leftOut: z.int(),
    behind: z.int().meta({ description: 'Tenants whose lag is above the bound.' }),
    tenants: z.array(shownTenant),
    next: z.string().optional(),
  })
  .meta({ id: 'Recovery' })

/** Milliseconds that would be lost; undefined for a tenant that has no replica. */
export function lagMs({ leftOut, fullAtMs, sinceMs }: ReplicaState, nowMs: number): number | undefined {
  return leftOut === undefined ? Math.max(0, nowMs - (fullAtMs ?? sinceMs)) : undefined
}

export interface RecoveryStatusDeps {
  readonly states: Pick<ReplicaStates, 'every' | 'run'>
  readonly clock: Pick<Clock, 'now'>
  /** Undefined where nothing is replicated. */
  readonly paired: { readonly region: string; readonly lagMsMax: number } | undefined
}

/** Every replica, and in all: one of the few readers across tenants (I4). It reads figures, never records. */
export async function recoveryStatus(
  { states, clock, paired }: RecoveryStatusDeps,
  { after, limit }: { after?: TenantId | undefined; limit: number },
): Promise<z.infer<typeof shownRecovery>> {
  const none = { replicated: 0, leftOut: 0, behind: 0, tenants: [] }
  if (!paired) return { enabled: false, ...none }
  const nowMs = clock.now()
  const counts = { replicated: 0, leftOut: 0, behind: 0 }
  const tenants: z.infer<typeof shownTenant>[] = []
  let most: number | undefined
  let next: string | undefined
  for await (const { tenantId, state } of states.every()) {
    const lag = lagMs(state, nowMs)
    counts[lag === undefined ? 'leftOut' : 'replicated']++
    if (lag !== undefined && lag > paired.lagMsMax) counts.behind++
    if (lag !== undefined) most = Math.max(most ?? 0, lag)
    if (after !== undefined && tenantId <= after) continue
    if (tenants.length < limit) tenants.push(tenantView(tenantId, state, nowMs))
    else next ??= tenants.at(-1)?.tenantId
  }
  const run = await states.run()
  return {
    enabled: true,
    region: paired.region,
    ...(run ? { lastRunAt: new Date(run.atMs).toISOString() } : {}),
    ...(most === undefined ? {} : { lagSeconds: Math.round(most / 1_000) }),
    lagSecondsMax: Math.round(paired.lagMsMax / 1_000),
    ...counts,
    tenants,
    ...(next === undefined ? {} : { next }),
  }
}

function tenantView(tenantId: TenantId, state: ReplicaState, nowMs: number): z.infer<typeof shownTenant> {
  const { leftOut, fullAtMs, records } = state
  const lag = lagMs(state, nowMs)
  return {
    tenantId,
    state: leftOut !== undefined ? 'left-out' : fullAtMs === undefined ? 'first-pass' : 'whole',
    ...(fullAtMs === undefined ? {} : { lastFullPassAt: new Date(fullAtMs).toISOString() }),
    ...(lag === undefined ? {} : { lagSeconds: Math.round(lag / 1_000) }),
    records,
    ...(leftOut === undefined ? {} : { leftOut, why: leftOutText[leftOut] }),
  }
}
