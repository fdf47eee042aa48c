import type { BackendId } from '../base/ids'
import type { Backend } from '../routing/backend'
import type { BackendStanding } from '../routing/backend-state'
import type { Found } from './part'

/** A backend that calls are kept away from, or that has yet to show that it is back. */
export interface TroubledBackend {
  readonly id: BackendId
  readonly name: string
  readonly standing: Exclude<BackendStanding, { readonly kind: 'ready' }>
}

export interface BackendsFound {
  readonly found: Found
  readonly enabled: number
  /** The worst first. */
  readonly troubled: readonly TroubledBackend[]
}

const WORST_FIRST = { broken: 0, recovering: 1, throttled: 2 } as const

/**
 * How the platform's own backends stand as this instance knows them. Those of one tenant are not asked about: what becomes of them
 * must not take an instance away from everybody else.
 *
 * It fails where calls are kept away from every one of them, not already where a model has none left: all instances would see that alike,
 * and would be taken out of rotation for models that are served. A broken one whose pause is over counts as one that
 * may serve, since only the next call can tell; else an instance without calls would stay broken.
 */
export function lookAtBackends(
  backends: Iterable<Backend>,
  standingOf: (id: BackendId) => BackendStanding,
): BackendsFound {
  let enabled = 0
  const troubled: TroubledBackend[] = []
  for (const { id, name, enabled: isEnabled, ownerTenantId } of backends) {
    if (!isEnabled || ownerTenantId !== undefined) continue
    enabled++
    const standing = standingOf(id)
    if (standing.kind !== 'ready') troubled.push({ id, name, standing })
  }
  troubled.sort((a, b) => WORST_FIRST[a.standing.kind] - WORST_FIRST[b.standing.kind])
  const broken = troubled.filter(({ standing }) => standing.kind === 'broken').length
  return { found: judge(enabled, broken), enabled, troubled }
}

/** A platform without backends has nothing to serve yet, and nothing that is broken. */
function judge(enabled: number, broken: number): Found {
  if (broken === 0) return { state: 'ok' }
  return { state: broken < enabled ? 'impaired' : 'failing', why: `${broken} of ${enabled} broken` }
}
