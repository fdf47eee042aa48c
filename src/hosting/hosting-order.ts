import { hash } from 'node:crypto'
import { encodeBase32, encodeTime, type ModelId, type OperationId } from '../base/ids'
import type { DeployWish } from '../tuning/tuning-job'

/** What a checklist does for one tuned model. The registry's record of it has all else. */
export type HostingOrder =
  /** Somebody wants it to answer under its name; one that sleeps is woken. */
  | { readonly kind: 'deploy'; readonly modelId: ModelId; readonly wish: DeployWish; readonly by: string }
  /** A call has come for one that sleeps. */
  | { readonly kind: 'wake'; readonly modelId: ModelId }
  /** Somebody wants it gone for good. */
  | { readonly kind: 'undeploy'; readonly modelId: ModelId; readonly by: string }
  /** Nobody has called it for long, since it was deployed at `sinceMs`. */
  | { readonly kind: 'sleep'; readonly modelId: ModelId; readonly sinceMs: number }

export const hostingName = 'hosting'

/** The platform's word for its timers and for calls, in a model's history. */
export const HOSTING_BY = 'hosting'

const CHANCE_BYTES = 10

/** One operation for each time that a model sleeps or wakes, whoever asks for it, and however many at once. */
export function hostingOperationOf(
  kind: 'wake' | 'sleep',
  { modelId, sinceMs }: { modelId: ModelId; sinceMs: number },
): OperationId {
  const digest = hash('sha256', `${kind}/${modelId}/${sinceMs}`, 'buffer').subarray(0, CHANCE_BYTES)
  return `hos_${encodeTime(sinceMs)}${encodeBase32(digest)}`
}
