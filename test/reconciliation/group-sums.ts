import { noSketches } from '../../src/usage/usage-sketches'
import type { GroupSums, UsageGroup, UsageSums } from '../../src/usage/usage-sums'

/** A group of calls, of whom nothing but what a test says matters. */
export const groupSums = (group: Partial<UsageGroup>, sums: UsageSums): GroupSums => ({
  group: {
    key: 'key_00000000000000000000000001',
    alias: 'chat',
    model: 'gpt-a',
    operation: 'chat',
    outcome: 'completed',
    backend: 'bke_00000000000000000000000001',
    deployment: 'a-deployment',
    region: 'swedencentral',
    ...group,
  },
  sums,
  sketches: noSketches,
})
