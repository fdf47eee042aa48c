import type { TenantState } from './snapshot'

export type LifecycleEvent = 'begin-validation' | 'activate' | 'suspend' | 'resume' | 'begin-offboarding'

/**
 * Each event's way through the states. A tenant already in the state that an event leads to stays there, so that
 * asking twice is no error. Nothing leads out of `offboarding`.
 */
const moves: Readonly<Record<LifecycleEvent, { readonly from: readonly TenantState[]; readonly to: TenantState }>> = {
  'begin-validation': { from: ['onboarding'], to: 'validating' },
  activate: { from: ['onboarding', 'validating'], to: 'active' },
  suspend: { from: ['active'], to: 'suspended' },
  resume: { from: ['suspended'], to: 'active' },
  'begin-offboarding': { from: ['onboarding', 'validating', 'active', 'suspended'], to: 'offboarding' },
}

/** The state after `event`, or undefined where the event has no place in this state. */
export function nextState(state: TenantState, event: LifecycleEvent): TenantState | undefined {
  const { from, to } = moves[event]
  return from.includes(state) || state === to ? to : undefined
}
