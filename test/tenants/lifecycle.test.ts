import { nextState, type LifecycleEvent } from '../../src/tenants/lifecycle'
import type { TenantState } from '../../src/tenants/snapshot'

const states: TenantState[] = ['onboarding', 'active', 'suspended', 'offboarding', 'offboarded']

describe('the lifecycle', () => {
  const allowed: [LifecycleEvent, Partial<Record<TenantState, TenantState>>][] = [
    ['activate', { onboarding: 'active', active: 'active' }],
    ['suspend', { active: 'suspended', suspended: 'suspended' }],
    ['resume', { suspended: 'active', active: 'active' }],
    [
      'begin-offboarding',
      { onboarding: 'offboarding', active: 'offboarding', suspended: 'offboarding', offboarding: 'offboarding' },
    ],
    ['finish-offboarding', { offboarding: 'offboarded', offboarded: 'offboarded' }],
  ]

  it.each(allowed)('lets %s lead only where it may', (event, to) => {
    const reached = Object.fromEntries(
      states.flatMap((state) => {
        const next = nextState(state, event)
        return next ? [[state, next]] : []
      }),
    )
    expect(reached).toEqual(to)
  })

  it('never serves a suspended tenant again but by resuming it, nor an offboarded one at all', () => {
    const events = allowed.map(([event]) => event)
    expect(events.filter((event) => nextState('suspended', event) === 'active')).toEqual(['resume'])
    expect(events.filter((event) => nextState('offboarded', event) !== undefined)).toEqual(['finish-offboarding'])
  })
})
