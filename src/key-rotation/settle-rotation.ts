import type { OrchestrationStatus } from '../base/durable-steps'
import { fieldsOf, isObject } from '../base/json-object'
import type { RotatedAccount, RotationFailure } from './rotated-accounts'

/** After a rotation that ended badly the next one by the clock waits so long: operators are told, and may ask for one. */
const AFTER_FAILURE_MS = 24 * 3_600_000
const DAY_MS = 24 * 3_600_000

/** How a rotation is that was begun. */
export type RunState =
  /** Nobody has started it yet: whoever was about to do so broke off. */
  | { readonly kind: 'unstarted' }
  | { readonly kind: 'running' }
  /** Its last step says so in the account's own record. */
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly failure: RotationFailure }

/** Pure. Of an orchestration that broke outside any step no step says why. */
export function runStateOf(found: OrchestrationStatus | undefined, nowMs: number): RunState {
  if (!found) return { kind: 'unstarted' }
  if (found.state === 'running') return { kind: 'running' }
  const { state, steps } = fieldsOf(found.output)
  if (state === 'completed') return { kind: 'completed' }
  const faults = (Array.isArray(steps) ? steps : []).flatMap((step: unknown) => {
    const { id, state: stepState, error } = fieldsOf(step)
    return stepState === 'failed' && isObject(error) ? [{ id, ...error }] : []
  })
  const { id, code, detail } = fieldsOf(faults[0])
  const step = typeof id === 'string' ? `Step “${id}”: ` : ''
  return {
    kind: 'failed',
    failure: {
      at: nowMs,
      code: typeof code === 'string' ? code : 'internal_error',
      detail: step + (typeof detail === 'string' ? detail : `The orchestration ${found.state}.`),
    },
  }
}

/** Whether it is time, by the account's own policy; pure. What was never rotated is due at once. */
export function isDue({ everyDays, rotatedAt, failed, run }: RotatedAccount, nowMs: number): boolean {
  if (everyDays === undefined || run) return false
  if (failed && nowMs < failed.at + AFTER_FAILURE_MS) return false
  return rotatedAt === undefined || nowMs >= rotatedAt + everyDays * DAY_MS
}
