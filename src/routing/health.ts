import { BoundedMap } from '../base/bounded-map'
import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import type { BackendId, TenantId } from '../base/ids'
import { BackendState, type Attempting, type BackendStanding, type FailureKind } from './backend-state'

/**
 * What this instance has seen of each backend: the rests that it asked for, and circuit breakers for its failures
 * (`BackendState` has the rules). Each instance learns for itself: a shared view would cost a shared write per call, and a
 * throttled backend tells every instance within one call each.
 */
export interface BackendHealth {
  /** How the backend stands for calls of this tenant. */
  view(id: BackendId, tenantId: TenantId): HealthView
  /** How it stands for all, for whoever looks after the platform. */
  standing(id: BackendId): BackendStanding
  /**
   * Begins an attempt. It may find the backend resting although `view` called it ready: since then another call may have
   * been throttled, or have taken the place of a circuit's probe.
   */
  begin(id: BackendId, tenantId: TenantId): HealthAttempt | RestingBackend
}

export type HealthView = { readonly kind: 'ready' } | RestingBackend

/** Throttled or broken: not to be called for `waitMs`, at least 1. */
export interface RestingBackend {
  readonly kind: 'resting'
  readonly waitMs: number
}

/** An attempt under way. Exactly one of its reports is called, once. */
export interface HealthAttempt {
  readonly kind: 'begun'
  succeeded(): void
  throttled(waitMs: number): void
  failed(why: FailureKind): void
  /** It ended without saying anything of the backend's health: cancelled, or the caller's fault. */
  abandoned(): void
}

const BACKENDS_MAX = 10_000

export function createBackendHealth(clock: Clock): BackendHealth {
  const states = new BoundedMap<BackendId, BackendState>(BACKENDS_MAX)

  const stateOf = (id: BackendId): BackendState => {
    const known = states.get(id)
    if (known) return known
    const fresh = new BackendState()
    states.keep(id, fresh)
    return fresh
  }

  return {
    view: (id, tenantId) => viewOf(states.get(id)?.restMs(tenantId, clock.monotonicMs()) ?? 0),
    standing: (id) => states.get(id)?.standing(clock.monotonicMs()) ?? { kind: 'ready' },
    begin: (id, tenantId) => {
      const state = stateOf(id)
      const nowMs = clock.monotonicMs()
      const view = viewOf(state.restMs(tenantId, nowMs))
      return view.kind === 'resting' ? view : new Attempt(clock, state, state.begin(tenantId, nowMs))
    },
  }
}

const viewOf = (restMs: number): HealthView =>
  restMs > 0 ? { kind: 'resting', waitMs: Math.max(1, restMs) } : { kind: 'ready' }

class Attempt implements HealthAttempt {
  readonly kind = 'begun'
  readonly #clock: Clock
  readonly #state: BackendState
  readonly #attempting: Attempting
  #reported = false

  constructor(clock: Clock, state: BackendState, attempting: Attempting) {
    this.#clock = clock
    this.#state = state
    this.#attempting = attempting
  }

  succeeded(): void {
    this.#report()
    this.#state.succeeded(this.#attempting)
  }

  throttled(waitMs: number): void {
    this.#report()
    this.#state.throttled(this.#attempting, waitMs, this.#clock.monotonicMs())
  }

  failed(why: FailureKind): void {
    this.#report()
    this.#state.failed(this.#attempting, why, this.#clock.monotonicMs())
  }

  abandoned(): void {
    this.#report()
    this.#state.abandoned(this.#attempting)
  }

  #report(): void {
    assert(!this.#reported, 'an attempt is reported once')
    this.#reported = true
  }
}
