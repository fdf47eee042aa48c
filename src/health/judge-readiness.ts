import type { Found, PartName, PartState } from './part'

/** `degraded` serves: something is missing, and not everybody is affected. The last two do not. */
export const readinessStates = ['ready', 'degraded', 'unready', 'stopping'] as const
export type ReadinessState = (typeof readinessStates)[number]

/**
 * Without these nothing is served. Without the others something is: data keys are kept, keys of the platform are no tokens, and callers
 * would be sent away from an instance that is no worse than the next one.
 */
const NEEDED: ReadonlySet<PartName> = new Set(['storage', 'usage-log', 'backends'])

/** Whether calls should come to this instance. Parts that it does not have are not among `found`. */
export function judgeReadiness(found: ReadonlyMap<PartName, Found>, isStopping: boolean): ReadinessState {
  if (isStopping) return 'stopping'
  const states = [...found].map(([name, { state }]) => weightOf(name, state))
  if (states.includes('failing')) return 'unready'
  return states.includes('impaired') ? 'degraded' : 'ready'
}

const weightOf = (name: PartName, state: PartState): PartState =>
  state === 'failing' && !NEEDED.has(name) ? 'impaired' : state

export const isServing = (state: ReadinessState) => state === 'ready' || state === 'degraded'
