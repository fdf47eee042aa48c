import { nextState, type LifecycleEvent } from '../../src/tenants/lifecycle'
import { tenantStates, type TenantState } from '../../src/tenants/snapshot'
import { operatorTenant, ownTenant } from '../../src/tenants/tenant-view'

describe('the lifecycle', () => {
  const allowed: [LifecycleEvent, Partial<Record<TenantState, TenantState>>][] = [
    ['begin-validation', { onboarding: 'validating', validating: 'validating' }],
    ['activate', { onboarding: 'active', validating: 'active', active: 'active' }],
    ['suspend', { active: 'suspended', suspended: 'suspended' }],
    ['resume', { suspended: 'active', active: 'active' }],
    [
      'begin-offboarding',
      {
        onboarding: 'offboarding',
        validating: 'offboarding',
        active: 'offboarding',
        suspended: 'offboarding',
        offboarding: 'offboarding',
      },
    ],
  ]

  it.each(allowed)('lets %s lead only where it may', (event, to) => {
    const reached = Object.fromEntries(
      tenantStates.flatMap((state) => {
        const next = nextState(state, event)
        return next ? [[state, next]] : []
      }),
    )
    expect(reached).toEqual(to)
  })

  it('never serves a suspended tenant again but by resuming it, nor one that is being deleted at all', () => {
    const events = allowed.map(([event]) => event)
    expect(events.filter((event) => nextState('suspended', event) === 'active')).toEqual(['resume'])
    expect(events.filter((event) => nextState('offboarding', event) !== undefined)).toEqual(['begin-offboarding'])
  })

  it('leads to every state that there is, and every one can be shown', () => {
    const reached = new Set(allowed.flatMap(([, to]) => Object.values(to)))
    expect(['onboarding', ...reached].sort()).toEqual([...tenantStates].sort())
    for (const state of tenantStates)
      for (const view of [operatorTenant, ownTenant]) expect(view.shape.state.safeParse(state).success).toBe(true)
  })
})
