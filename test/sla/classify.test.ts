import { classify, exclusionNames, measuredOf, type Circumstances, type Exclusion } from '../../src/sla/classify'
import { ownAccountsOf } from '../../src/sla/own-accounts'
import type { Backend } from '../../src/routing/backend'
import type { GroupSums } from '../../src/usage/usage-sums'
import { failed, good, groupOf, noonMs, ordinary, tenantId } from './sla-fixtures'

const judge = (group: GroupSums, circumstances: Partial<Circumstances> = {}) => {
  const { counted, excluded, pending } = classify(group, noonMs, { ...ordinary, ...circumstances })
  return { ...counted, pending, excluded: Object.fromEntries(excluded) }
}
const nothing = { good: 0, bad: 0, pending: 0, excluded: {} }
const only = (reason: Exclusion, calls: number) => ({ ...nothing, excluded: { [reason]: calls } })

describe('what counts', () => {
  it('is a call that was answered, as good', () => {
    expect(judge(good(5))).toEqual({ ...nothing, good: 5 })
  })

  it.each(['failed', 'interrupted'] as const)(
    'is a call that %s through the fault of the platform or its provider',
    (outcome) => {
      expect(judge(groupOf({ outcome, sums: { calls: 4 } }))).toEqual({ ...nothing, bad: 4 })
    },
  )

  it('is a call that the platform had no room or no backend for, though it was sent nowhere', () => {
    const nowhere = { backend: null, deployment: null, region: null }
    expect(judge(groupOf({ outcome: 'refused', sums: { refused: 3 }, ...nowhere }))).toEqual({ ...nothing, bad: 3 })
    expect(judge(groupOf({ outcome: 'unavailable', sums: { unavailable: 2 }, ...nowhere }))).toEqual({
      ...nothing,
      bad: 2,
    })
  })

  it('is a call without an end once it cannot be under way any more', () => {
    const lost = groupOf({ outcome: 'unsettled', sums: { unsettled: 2 }, backend: null })
    expect(judge(lost, { endedBeforeMs: noonMs })).toEqual({ ...nothing, pending: 2 })
    expect(judge(lost, { endedBeforeMs: noonMs + 1 })).toEqual({ ...nothing, bad: 2 })
  })
})

describe('what does not count', () => {
  const cases: Record<Exclusion, readonly [GroupSums, Partial<Circumstances>, number]> = {
    'not-awaited': [groupOf({ operation: 'batch.chat.completions', outcome: 'failed', sums: { calls: 3 } }), {}, 3],
    maintenance: [failed(6), { isMaintenance: (ms, region) => ms === noonMs && region === 'swedencentral' }, 6],
    'client-error': [groupOf({ outcome: 'rejected', sums: { calls: 9 } }), {}, 9],
    'client-gone': [groupOf({ outcome: 'interrupted', sums: { calls: 2, callerFaults: 2 } }), {}, 2],
    'own-limits': [groupOf({ outcome: 'refused', sums: { refused: 8, tenantFaults: 8 }, backend: null }), {}, 8],
    'own-account': [failed(7, { backend: 'bke_own' }), { isOwnAccount: (id) => id === 'bke_own' }, 7],
  }

  it.each(exclusionNames)('%s: shown, and neither good nor bad', (reason) => {
    const [group, circumstances, calls] = cases[reason]
    expect(judge(group, circumstances)).toEqual(only(reason, calls))
  })

  it.each(['tuning.training', 'responses.background', 'evaluation.chat.completions'])(
    'nobody waited for %s',
    (operation) => {
      expect(judge(good(4, { operation }))).toEqual(only('not-awaited', 4))
    },
  )

  it('each call of a mixed group stands in one place', () => {
    const mixed = groupOf({ outcome: 'failed', sums: { calls: 10, callerFaults: 3, tenantFaults: 2 } })
    expect(judge(mixed)).toEqual({ ...nothing, bad: 5, excluded: { 'client-gone': 3, 'own-limits': 2 } })
  })

  it('an account of the tenant’s own is excluded where it fails, and not where it answers', () => {
    const isOwnAccount = () => true
    expect(judge(good(5), { isOwnAccount })).toEqual({ ...nothing, good: 5 })
    const slow = good(1, { latencies: [90_000] })
    expect(measuredOf(slow, noonMs, { ...ordinary, isOwnAccount })).toBeUndefined()
    expect(measuredOf(slow, noonMs, ordinary)?.latency.count).toBe(1)
  })
})

describe('an account of the tenant’s own', () => {
  const backendOf = (more: Partial<Backend>): Backend => ({
    id: 'bke_1',
    name: 'a backend',
    api: { kind: 'openai-compatible' },
    endpoint: 'http://localhost:1',
    deployment: 'gpt',
    credential: { kind: 'identity' },
    region: 'swedencentral',
    capacity: 'payg',
    enabled: true,
    ...more,
  })
  const isOwn = (more: Partial<Backend>) => ownAccountsOf(new Map([['bke_1', backendOf(more)]]), tenantId)('bke_1')

  it.each([
    [true, 'a backend of the account that it named', { ownerTenantId: tenantId }],
    [
      true,
      'one that is called with its own key',
      { ownerTenantId: tenantId, credential: { kind: 'tenant-secret', name: 'k' }, resourceId: '/x' },
    ],
    [true, 'one of its own directory', { ownerTenantId: tenantId, directoryId: 'd', resourceId: '/x' }],
    [false, 'a deployment that the platform made for it alone', { ownerTenantId: tenantId, resourceId: '/x' }],
    [false, 'a backend that tenants share', {}],
    [false, 'another tenant’s account', { ownerTenantId: `ten_${'2'.repeat(26)}` as const }],
  ] satisfies [boolean, string, Partial<Backend>][])('%s: %s', (own, _, more) => {
    expect(isOwn(more)).toBe(own)
  })

  it('is not what is gone from the list', () => {
    expect(ownAccountsOf(new Map(), tenantId)('bke_gone')).toBe(false)
  })
})
