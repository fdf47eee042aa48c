import { zeroSums, type GroupSums, type UsageGroup, type UsageSums } from '../../src/usage/usage-sums'
import { noSketches } from '../../src/usage/usage-sketches'

/** A group of calls of which only the named fields matter. */
export function itemGroup(group: Partial<UsageGroup>, sums: Partial<UsageSums>): GroupSums {
  return {
    group: {
      key: 'key_1',
      alias: 'chat',
      model: 'gpt-4.1',
      operation: 'chat.completions',
      outcome: 'completed',
      backend: null,
      deployment: null,
      region: null,
      ...group,
    },
    sums: { ...zeroSums(), calls: 1, ...sums },
    sketches: noSketches,
  }
}
