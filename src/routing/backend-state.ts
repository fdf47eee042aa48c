import type { TenantId } from '../base/ids'
import { Circuit, type Probe } from './circuit'

/** Failures in a row, none older than the window, that open a circuit. */
export const FAILURES_TO_OPEN = 5
export const FAILURE_WINDOW_MS = 60_000
/**
 * Of one tenant's failures the circuit of all counts so many at most. It is below `FAILURES_TO_OPEN`, so that no tenant
 * alone opens it, whatever its calls provoke.
 */
export const FAILURES_PER_TENANT_MAX = 3
/** A backend that asks for longer (a day, for a call larger than its whole quota) means that call, not all calls. */
export const COOL_DOWN_MS_MAX = 60_000
/** How long the tenant of such a call is kept away. */
export const OVERSIZE_REST_MS = 5_000
/** Tenants whose calls fail; where there are more, the circuit of all has long been open. */
const TENANTS_MAX = 64

export type FailureKind =
  /** No connection came about. No tenant can bring that about: it counts for all. */
  | 'unreachable'
  /** It took the call and failed it, which what a call says may have caused: it counts for the caller's tenant first. */
  | 'answered'

/** One tenant's own experience with the backend; only tenants whose calls failed have one. */
interface Experience {
  readonly circuit: Circuit
  failuresInRow: number
  lastFailureMs: number
  /** What the circuit of all has counted of it in its present row. */
  countedForAll: number
  countedInRow: number
  restUntilMs: number
}

/** How a backend stands for calls of all. */
export type BackendStanding =
  | { readonly kind: 'ready' }
  /** It refused for capacity. */
  | { readonly kind: 'throttled'; readonly waitMs: number }
  /** Its circuit is open: calls are kept away for `waitMs` yet. `sinceMs`, of a monotonic clock, is when it opened first. */
  | { readonly kind: 'broken'; readonly waitMs: number; readonly sinceMs: number; readonly why: FailureKind }
  /** The pause of its circuit is over, and the next call tells whether it is back. */
  | { readonly kind: 'recovering'; readonly sinceMs: number; readonly why: FailureKind }

/** What an attempt has to give back with its report. */
export interface Attempting {
  readonly tenantId: TenantId
  readonly probe: Probe | undefined
  readonly ownProbe: Probe | undefined
}

/**
 * One backend as this instance knows it.
 *
 * H1 A tenant's failures in a row open a circuit for that tenant alone. The circuit of all opens when calls of several
 *    tenants fail in a row, of each tenant at most `FAILURES_PER_TENANT_MAX` counted; failures to connect, which no tenant can
 *    provoke, count in full. A backend of one tenant so has the plain count.
 * H2 A throttle rests the backend for all, for as long as it says; one of more than `COOL_DOWN_MS_MAX` rests it for the
 *    tenant whose call it was, and for all only once a second tenant has been told the like.
 */
export class BackendState {
  readonly #circuit = new Circuit()
  readonly #tenants = new Map<TenantId, Experience>()
  /** Rises with every success, which ends the row of failures of all. */
  #row = 0
  #failuresInRow = 0
  #lastFailureMs = -Infinity
  #restUntilMs = 0
  /** What opened the circuit of all, for as long as it is not closed. */
  #breakage: { readonly sinceMs: number; readonly why: FailureKind } | undefined
  #oversize: { readonly tenantId: TenantId; readonly atMs: number } | undefined

  /** How long calls of the tenant are kept away; 0 when the next one may go. */
  restMs(tenantId: TenantId, nowMs: number): number {
    const shared = Math.max(this.#restUntilMs - nowMs, this.#circuit.restMs(nowMs))
    const own = this.#tenants.size > 0 ? this.#tenants.get(tenantId) : undefined
    return own ? Math.max(shared, own.restUntilMs - nowMs, own.circuit.restMs(nowMs)) : shared
  }

  /** Apart from what single tenants have met. */
  standing(nowMs: number): BackendStanding {
    const waitMs = this.#circuit.restMs(nowMs)
    if (this.#breakage) {
      return waitMs > 0 ? { kind: 'broken', waitMs, ...this.#breakage } : { kind: 'recovering', ...this.#breakage }
    }
    return this.#restUntilMs > nowMs ? { kind: 'throttled', waitMs: this.#restUntilMs - nowMs } : { kind: 'ready' }
  }

  begin(tenantId: TenantId, nowMs: number): Attempting {
    const own = this.#tenants.get(tenantId)
    return { tenantId, probe: this.#circuit.begin(nowMs), ownProbe: own?.circuit.begin(nowMs) }
  }

  succeeded({ tenantId, probe, ownProbe }: Attempting): void {
    this.#circuit.succeeded(probe)
    if (this.#circuit.isClosed) this.#breakage = undefined
    this.#endRow()
    const own = this.#tenants.get(tenantId)
    if (!own) return
    own.circuit.succeeded(ownProbe)
    own.failuresInRow = 0
    if (own.circuit.isClosed) this.#tenants.delete(tenantId)
  }

  /** A throttled backend is alive: circuits close, the rest alone keeps calls away. */
  throttled(attempting: Attempting, waitMs: number, nowMs: number): void {
    this.succeeded(attempting)
    const { tenantId } = attempting
    if (waitMs <= COOL_DOWN_MS_MAX) {
      this.#restUntilMs = Math.max(this.#restUntilMs, nowMs + waitMs)
      return
    }
    const before = this.#oversize
    this.#oversize = { tenantId, atMs: nowMs }
    const isForAll = before && before.tenantId !== tenantId && nowMs - before.atMs <= FAILURE_WINDOW_MS
    if (isForAll) this.#restUntilMs = nowMs + COOL_DOWN_MS_MAX
    else this.#experienceOf(tenantId).restUntilMs = nowMs + OVERSIZE_REST_MS
  }

  failed({ tenantId, probe, ownProbe }: Attempting, why: FailureKind, nowMs: number): void {
    this.#circuit.failed(probe, nowMs)
    const own = this.#experienceOf(tenantId)
    own.circuit.failed(ownProbe, nowMs)
    if (nowMs - own.lastFailureMs > FAILURE_WINDOW_MS) own.failuresInRow = 0
    own.lastFailureMs = nowMs
    own.failuresInRow += 1
    if (own.failuresInRow >= FAILURES_TO_OPEN) own.circuit.open(nowMs)
    this.#countForAll(own, why, nowMs)
  }

  abandoned({ tenantId, probe, ownProbe }: Attempting): void {
    this.#circuit.abandoned(probe)
    this.#tenants.get(tenantId)?.circuit.abandoned(ownProbe)
  }

  #countForAll(own: Experience, why: FailureKind, nowMs: number): void {
    if (nowMs - this.#lastFailureMs > FAILURE_WINDOW_MS) this.#endRow()
    this.#lastFailureMs = nowMs
    if (own.countedInRow !== this.#row) {
      own.countedInRow = this.#row
      own.countedForAll = 0
    }
    if (why === 'answered') {
      if (own.countedForAll >= FAILURES_PER_TENANT_MAX) return
      own.countedForAll += 1
    }
    this.#failuresInRow += 1
    if (this.#failuresInRow < FAILURES_TO_OPEN) return
    this.#circuit.open(nowMs)
    this.#breakage ??= { sinceMs: nowMs, why }
  }

  #endRow(): void {
    if (this.#failuresInRow === 0) return
    this.#row += 1
    this.#failuresInRow = 0
  }

  #experienceOf(tenantId: TenantId): Experience {
    const known = this.#tenants.get(tenantId)
    if (known) return known
    const oldest = this.#tenants.size >= TENANTS_MAX ? this.#tenants.keys().next().value : undefined
    if (oldest !== undefined) this.#tenants.delete(oldest)
    const fresh: Experience = {
      circuit: new Circuit(),
      failuresInRow: 0,
      lastFailureMs: -Infinity,
      countedForAll: 0,
      countedInRow: this.#row,
      restUntilMs: 0,
    }
    this.#tenants.set(tenantId, fresh)
    return fresh
  }
}
