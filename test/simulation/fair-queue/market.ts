import type { TenantId } from '../../../src/base/ids'
import { createFairQueue } from '../../../src/fairness/fair-queue'
import type { Turn, TurnResult } from '../../../src/fairness/turn'
import { eventClock } from './event-clock'
import type { Bucket } from './buckets'

/** A tenant's calls, arriving at random (a Poisson process) or as fast as its clients get answers. */
export interface Tenant {
  readonly id: TenantId
  readonly weight: number
  readonly callsPerSecond: number
  readonly fromMs?: number
  readonly toMs?: number
  /** What it reserves of the limits. */
  readonly estimate: () => number
  readonly used: (estimate: number) => number
}

export interface Outcome {
  readonly tenantId: TenantId
  readonly arrivedMs: number
  /** When it had its turn for the last time, or its refusal. */
  readonly endedWaitMs: number
  readonly doneMs: number
  readonly used: number
  readonly kind: 'served' | 'refused'
  readonly retryAfterMs: number
  readonly tries: number
}

const ROUND_TRIP_MS = 4

/** Tenants, the queue of each app instance, and one backend that refuses by a bucket and is left alone while it asks for that. */
export async function market(town: {
  readonly bucket: Bucket
  readonly tenants: readonly Tenant[]
  readonly forMs: number
  readonly callMs: () => number
  readonly fraction: () => number
  /** Of the app; each learns for itself, and calls come to any of them. */
  readonly instances?: number
}): Promise<{ outcomes: Outcome[]; waiting: number; throttles: number; releases: number; turns: number }> {
  const clock = eventClock()
  const outcomes: Outcome[] = []
  const counts = { throttles: 0, releases: 0, turns: 0 }
  const instances = Array.from({ length: town.instances ?? 1 }, () => ({
    queue: createFairQueue({ clock }),
    coolUntilMs: 0,
  }))

  const call = async (tenant: Tenant) => {
    const instance = instances[between(town.fraction, 0, instances.length)]
    if (!instance) return
    const arrivedMs = clock.monotonicMs()
    const estimate = tenant.estimate()
    const request = { tenantId: tenant.id, weight: tenant.weight, tokens: estimate, priority: 'high' as const }
    let result: TurnResult = await instance.queue.take({ ...request, backendIds: ['bke_one'] })
    let turn: Turn | undefined
    let tries = 0
    for (;;) {
      const endedWaitMs = clock.monotonicMs()
      const told = { tenantId: tenant.id, arrivedMs, endedWaitMs, tries }
      if (result.kind === 'refused') {
        if (turn) counts.releases += 1
        turn?.release(0)
        const { retryAfterMs } = result
        return void outcomes.push({ ...told, doneMs: endedWaitMs, used: 0, kind: 'refused', retryAfterMs })
      }
      if (!turn) counts.turns += 1
      turn = result
      tries += 1
      if (instance.coolUntilMs > endedWaitMs) {
        result = await turn.again({ kind: 'resting', waitMs: instance.coolUntilMs - endedWaitMs })
        continue
      }
      const waitMs = town.bucket.admit(estimate, endedWaitMs)
      // Told when the call begins, heard when it ends: answers come in another order than their calls went.
      const said = town.bucket.says(endedWaitMs)
      await clock.sleep(ROUND_TRIP_MS)
      if (waitMs !== undefined) {
        counts.throttles += 1
        instance.coolUntilMs = Math.max(instance.coolUntilMs, clock.monotonicMs() + waitMs)
        result = await turn.again({ kind: 'throttled', waitMs })
        continue
      }
      await clock.sleep(town.callMs())
      const used = tenant.used(estimate)
      town.bucket.settle(estimate, used, clock.monotonicMs())
      turn.learn('bke_one', said)
      counts.releases += 1
      turn.release(used)
      const doneMs = clock.monotonicMs()
      return void outcomes.push({ ...told, tries, doneMs, used, kind: 'served', retryAfterMs: 0 })
    }
  }

  for (const tenant of town.tenants) {
    const next = () => {
      if (clock.monotonicMs() >= Math.min(town.forMs, tenant.toMs ?? Infinity)) return
      void call(tenant)
      clock.after(gap(), next)
    }
    const gap = () => (-Math.log(1 - town.fraction()) / tenant.callsPerSecond) * 1_000
    clock.after((tenant.fromMs ?? 0) + gap(), next)
  }
  // Long enough for the last call to wait as long as it may and to be served.
  await clock.run(town.forMs + 120_000)
  const waiting = instances.reduce((sum, { queue }) => sum + queue.waiting, 0)
  return { outcomes, waiting, ...counts }
}

export const between = (fraction: () => number, low: number, high: number) =>
  Math.floor(low + fraction() * (high - low))

/** Used tokens by tenant of the calls that ended within the time. */
export function shares(outcomes: readonly Outcome[], fromMs: number, toMs: number): Map<TenantId, number> {
  const sums = new Map<TenantId, number>()
  for (const { tenantId, used, doneMs } of outcomes) {
    if (doneMs >= fromMs && doneMs < toMs) sums.set(tenantId, (sums.get(tenantId) ?? 0) + used)
  }
  return sums
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0
}

/** Seeded (mulberry32), so that a run repeats itself. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
