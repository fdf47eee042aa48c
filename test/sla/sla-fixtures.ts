import type { TenantId } from '../../src/base/ids'
import type { Circumstances } from '../../src/sla/classify'
import type { Objective } from '../../src/sla/objective'
import { newSketches } from '../../src/usage/usage-sketches'
import { zeroSums, type GroupSums, type UsageGroup, type UsageSums } from '../../src/usage/usage-sums'

export const tenantId: TenantId = `ten_${'1'.repeat(26)}`
export const MINUTE_MS = 60_000
/** A full hour in the middle of a month. */
export const noonMs = Date.UTC(2026, 10, 18, 12)

export const availability: Objective = { kind: 'availability', percent: 99.9 }

export const ordinary: Circumstances = {
  isOwnAccount: () => false,
  isMaintenance: () => false,
  endedBeforeMs: 0,
}

interface Calls extends Partial<UsageGroup> {
  readonly sums?: Partial<UsageSums>
  readonly latencies?: readonly number[]
  readonly firstBytes?: readonly number[]
}

/** A group of which only the named fields matter to the test. */
export function groupOf({ sums, latencies = [], firstBytes = [], ...group }: Calls): GroupSums {
  const sketches = newSketches()
  for (const ms of latencies) sketches.latency.add(ms)
  for (const ms of firstBytes) sketches.firstByte.add(ms)
  return {
    group: {
      key: 'key_1',
      alias: 'chat',
      model: 'gpt-4.1',
      operation: 'chat.completions',
      outcome: 'completed',
      backend: 'bke_1',
      deployment: 'gpt-sweden',
      region: 'swedencentral',
      ...group,
    },
    sums: { ...zeroSums(), ...sums },
    sketches,
  }
}

/** So many calls that were answered, and so many that no backend answered. */
export const good = (calls: number, more: Calls = {}) => groupOf({ sums: { calls }, ...more })
export const failed = (calls: number, more: Calls = {}) => groupOf({ outcome: 'failed', sums: { calls }, ...more })
