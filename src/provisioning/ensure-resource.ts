import { assertNever } from '../base/assert'
import { Problem } from '../base/problem'
import type { Arm, ArmOutcome, ArmResource } from '../azure/arm'

/** How far a resource is. */
export type Ensured =
  | { readonly kind: 'ready'; readonly resource: ArmResource }
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

export interface WantedResource {
  readonly id: string
  readonly apiVersion: string
  readonly body: object
  /** Whether what is there needs no change; another tenant's, or a stranger's, never gets here. */
  readonly isAsWanted: (found: ArmResource) => boolean
}

/** One step towards the resource; asked again and again until it is `ready`. */
export async function ensureResource(arm: Arm, wanted: WantedResource): Promise<Ensured> {
  const { id, apiVersion, body, isAsWanted } = wanted
  const found = await arm.get(id, apiVersion)
  const isMissing = found.kind === 'gone' || (found.kind === 'ready' && !isAsWanted(found.resource))
  return stateOf(isMissing ? await arm.put(id, apiVersion, body) : found)
}

/** Until it is gone: true; or how long to wait before asking again. Throws where it is refused for good. */
export async function removeResource(
  arm: Arm,
  id: string,
  apiVersion: string,
): Promise<true | { againAfterMs: number }> {
  const found = await arm.get(id, apiVersion)
  // What broke while it was made is removed too.
  const state = found.kind === 'ready' || found.kind === 'refused' ? await arm.remove(id, apiVersion) : found
  switch (state.kind) {
    case 'gone':
      return true
    case 'ready':
      return { againAfterMs: AGAIN_MS }
    case 'under-way':
    case 'busy':
      return { againAfterMs: state.againAfterMs }
    case 'refused':
      throw new Error(`${id} could not be removed: ${state.code}: ${state.message}`)
    default:
      return assertNever(state)
  }
}

const AGAIN_MS = 2_000

function stateOf(outcome: ArmOutcome): Ensured {
  switch (outcome.kind) {
    case 'ready':
    case 'refused':
      return outcome
    case 'under-way':
    case 'busy':
      return { kind: 'not-yet', againAfterMs: outcome.againAfterMs }
    case 'gone':
      return { kind: 'not-yet', againAfterMs: AGAIN_MS }
    default:
      return assertNever(outcome)
  }
}

/** Azure's own words, since they name the quota or the policy. */
export const refusedByAzure = (what: string, { code, message }: { code: string; message: string }) =>
  new Problem('provisioning_refused', `Azure refused ${what}: ${code}: ${message}`)
