import type { Alerts, RaisedAlert } from '../alerts/alerts'
import type { Clock } from '../base/clock'
import type { BackendId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { Backend } from './backend'
import { isPlatformOwner } from '../tenants/platform-owner'

/** Tells the operator of backends whose accounts do not let the platform in, once for each until it is let in again. */
export interface AccountWatch {
  /** `detail`: the status and the error's code; no content. */
  refused(backend: Backend, detail: string): void
  admitted(backend: Backend): void
}

/** What calls of a backend need on its account where they are made under an identity. */
export const INFERENCE_ROLE = 'Cognitive Services OpenAI User'

/** Backends of which it is known that they refused; each takes about 200 bytes. */
const BACKENDS_MAX = 5_000
/**
 * An account that lets some calls in and others not, by what they ask for, stays reported: only a call that is let in so
 * long after the last refusal ends the alert. So a backend's alert is written about once a minute at most.
 */
export const HEALED_AFTER_MS = 60_000

interface Refusal {
  lastMs: number
  /** The last write, behind which the next one waits, so that they arrive in order. */
  written: Promise<void>
}

/** Nothing is awaited on the data path: alerts are written behind it. */
export function createAccountWatch({ alerts, clock, log }: AccountWatchDeps): AccountWatch {
  const refusals = new Map<BackendId, Refusal>()

  const warn = (id: BackendId) => (error: unknown) => {
    log.warn('an alert about a backend could not be written', { backend: id, error: describeError(error) })
    // Not told after all: the next refusal tries again.
    refusals.delete(id)
  }

  return {
    refused: (backend, detail) => {
      const { id } = backend
      const nowMs = clock.monotonicMs()
      const known = refusals.get(id)
      if (known) {
        known.lastMs = nowMs
        return
      }
      const oldest = refusals.size >= BACKENDS_MAX ? refusals.keys().next().value : undefined
      if (oldest !== undefined) refusals.delete(oldest)
      refusals.set(id, { lastMs: nowMs, written: alerts.raise(alertOf(backend, detail)).catch(warn(id)) })
    },
    admitted: ({ id }) => {
      const known = refusals.size > 0 ? refusals.get(id) : undefined
      if (!known || clock.monotonicMs() - known.lastMs < HEALED_AFTER_MS) return
      refusals.delete(id)
      void known.written.then(() => alerts.resolve(alertId(id))).catch(warn(id))
    },
  }
}

export interface AccountWatchDeps {
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
  readonly clock: Clock
  readonly log: Log
}

const alertId = (id: BackendId) => `backend-refuses/${id}`

function alertOf({ id, name, ownerTenantId: owned, credential, directoryId }: Backend, detail: string): RaisedAlert {
  // Nobody is there to be told of what the platform itself owns.
  const ownerTenantId = owned !== undefined && isPlatformOwner(owned) ? undefined : owned
  const owner = ownerTenantId === undefined ? '' : ', which is its tenant’s own'
  const remedy =
    credential.kind === 'identity'
      ? `Give the platform’s identity${directoryId === undefined ? '' : ` in the directory ${directoryId}`} the role "${INFERENCE_ROLE}" on the account`
      : 'Check the key that the backend names'
  return {
    id: alertId(id),
    kind: 'backend-refuses',
    severity: 'critical',
    tenantId: ownerTenantId,
    title: `The account of backend "${name}" refuses the platform`,
    // Who may give the role is in the tenant's directory, not in ours.
    audience: ownerTenantId === undefined ? undefined : 'tenant',
    detail: `Calls to ${id}${owner} end with ${detail}. ${remedy}, the deployment’s name, and the account’s firewall. The alert is resolved by the first call that is let in.`,
  }
}
