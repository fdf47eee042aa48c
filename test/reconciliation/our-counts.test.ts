import fc from 'fast-check'
import { createTally } from '../../src/reconciliation/our-counts'
import { zeroSums, type GroupSums, type UsageGroup, type UsageSums } from '../../src/usage/usage-sums'
import { groupSums } from './group-sums'

const at = (group: Partial<UsageGroup>, sums: Partial<UsageSums>): GroupSums =>
  groupSums(group, { ...zeroSums(), ...sums })
const backend = 'bke_00000000000000000000000001'

function usesOf(groups: readonly GroupSums[]) {
  const tally = createTally()
  tally.add(groups)
  return tally.uses()
}

it('requests are calls that were answered, tokens are those of all calls', () => {
  const uses = usesOf([
    at({ backend, outcome: 'completed' }, { calls: 3, promptTokens: 30, cachedTokens: 5, outputTokens: 9 }),
    at({ backend, outcome: 'interrupted' }, { calls: 1, estimated: 1, promptTokens: 10, outputTokens: 2 }),
    at({ backend, outcome: 'rejected' }, { calls: 2 }),
    at({ backend, outcome: 'failed' }, { calls: 4, promptTokens: 1 }),
  ])
  expect(uses).toEqual([
    {
      backendId: backend,
      deployment: 'a-deployment',
      use: {
        counted: { requests: 4, promptTokens: 41, outputTokens: 11 },
        batched: { requests: 0, promptTokens: 0, outputTokens: 0 },
        estimatedCalls: 1,
        rejectedCalls: 2,
        cachedTokens: 5,
        unsettledCalls: 0,
        hedgedTokens: 0,
      },
    },
  ])
})

it('names of deployments mean the same in any case', () => {
  const uses = usesOf([
    at({ backend, deployment: 'Chat-EU' }, { calls: 1 }),
    at({ backend, deployment: 'chat-eu' }, { calls: 1 }),
  ])
  expect(uses.map(({ deployment, use }) => [deployment, use.counted.requests])).toEqual([['chat-eu', 2]])
})

it('what has no deployment yet may explain every deployment of its model, and no other', () => {
  const uses = usesOf([
    at({ backend, deployment: 'one', model: 'gpt-a' }, { calls: 1 }),
    at({ backend, deployment: 'two', model: 'gpt-b' }, { calls: 1 }),
    at({ backend: null, deployment: null, model: 'gpt-a', outcome: 'unsettled' }, { unsettled: 2 }),
  ])
  expect(uses.map(({ deployment, use }) => [deployment, use.unsettledCalls])).toEqual([
    ['one', 2],
    ['two', 0],
  ])
})

it('any order and any split of the same sums gives the same counts', () => {
  const anyGroup = fc
    .record({
      backend: fc.constantFrom(backend, null),
      deployment: fc.constantFrom('one', 'two'),
      model: fc.constantFrom('gpt-a', 'gpt-b'),
      outcome: fc.constantFrom('completed', 'interrupted', 'rejected', 'failed', 'unsettled'),
      calls: fc.nat(5),
      unsettled: fc.nat(2),
      promptTokens: fc.nat(1_000),
    })
    .map(({ backend, deployment, model, outcome, ...sums }) => at({ backend, deployment, model, outcome }, sums))
  const sorted = (groups: readonly GroupSums[][]) => {
    const tally = createTally()
    for (const some of groups) tally.add(some)
    return [...tally.uses()].sort((one, other) => (one.deployment < other.deployment ? -1 : 1))
  }
  fc.assert(
    fc.property(fc.array(anyGroup), fc.nat(), (groups, at) => {
      const cut = groups.length === 0 ? 0 : at % groups.length
      expect(sorted([groups.slice(cut).toReversed(), groups.slice(0, cut)])).toEqual(sorted([groups]))
    }),
  )
})
