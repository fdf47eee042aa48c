import type { BackendId } from '../base/ids'
import { Rush } from './rush'
import type { BackendStanding, Standing } from './standing'

/** Of one backend, those that may be in others' way; and those that may have suffered. What counts of all the others are sums. */
const SUSPECTS_MAX = 16
export const SUFFERERS_MAX = 20
/** More backends than a platform has. What is beyond is not watched: each takes some kilobytes while it is. */
export const BACKENDS_MAX = 5_000

export interface Suspect {
  readonly standing: Standing
  readonly here: BackendStanding
}

export interface BackendView {
  readonly backendId: BackendId
  /** Tokens a minute of all tenants, and the weight of those that have any. */
  readonly load: number
  readonly weight: number
  /** How far tenants are above what is usual of each, tokens a minute. */
  readonly excess: number
  /** How many times what is typical of them its tenants use. */
  readonly rush: Rush
  /** Of tenants that neither surge nor are held back themselves. */
  readonly calls: number
  readonly impaired: number
  /** By how much of their load is more than usual, the most first. */
  readonly suspects: readonly Suspect[]
  /** By impaired calls, the most first. */
  readonly sufferers: readonly Suspect[]
}

/**
 * Everything that is to be known of all tenants at one time to find out who is in whose way, added up tenant by tenant: what it
 * holds grows with the backends, not with the tenants.
 */
export class BackendWatch {
  readonly #backends = new Map<BackendId, Mutable>()

  /** `isHeld`: a measure may be in effect, so it is judged whoever else is there. */
  add(standing: Standing, isHeld: boolean): void {
    for (const here of standing.backends) {
      const backend = this.#of(here.backendId)
      if (!backend) continue
      const suspect = { standing, here }
      backend.load += here.load
      backend.weight += here.load > 0 ? standing.weight : 0
      backend.excess += excessOf(suspect)
      backend.rush.add(standing)
      if (isHeld) backend.held.push(suspect)
      else if (surges(standing)) keepMost(backend.suspects, suspect, { of: excessOf, countMax: SUSPECTS_MAX })
      // What is refused of who is held back is no harm that others do it.
      if (isHeld || surges(standing)) continue
      backend.calls += here.calls
      backend.impaired += here.impaired
      if (here.impaired > 0) keepMost(backend.sufferers, suspect, { of: impairedOf, countMax: SUFFERERS_MAX })
    }
  }

  views(): readonly BackendView[] {
    return [...this.#backends.values()].map(({ held, suspects, ...view }) => ({
      ...view,
      suspects: [...held, ...suspects],
    }))
  }

  #of(backendId: BackendId): Mutable | undefined {
    const known = this.#backends.get(backendId)
    if (known || this.#backends.size >= BACKENDS_MAX) return known
    const backend: Mutable = {
      backendId,
      load: 0,
      weight: 0,
      excess: 0,
      rush: new Rush(),
      calls: 0,
      impaired: 0,
      held: [],
      suspects: [],
      sufferers: [],
    }
    this.#backends.set(backendId, backend)
    return backend
  }
}

type Mutable = { -readonly [Name in Exclude<keyof BackendView, 'suspects' | 'sufferers'>]: BackendView[Name] } & {
  /** As many as there are findings, which are bounded themselves. */
  readonly held: Suspect[]
  readonly suspects: Suspect[]
  readonly sufferers: Suspect[]
}

/** Uses more than is usual of it, and more than was ever usual at this hour. */
export const surges = ({ load, most }: Pick<Standing, 'load' | 'most'>): boolean => load > most

/** Tokens a minute at the backend above its part of what is usual. */
export const excessOf = ({ standing: { load, usual }, here }: Suspect): number =>
  load > 0 ? (Math.max(0, load - usual) * here.load) / load : 0

export const impairedOf = ({ here }: Suspect): number => here.impaired

function keepMost(
  kept: Suspect[],
  suspect: Suspect,
  { of, countMax }: { of: (suspect: Suspect) => number; countMax: number },
) {
  const before = kept.findIndex((other) => of(other) < of(suspect))
  if (before < 0 && kept.length >= countMax) return
  kept.splice(before < 0 ? kept.length : before, 0, suspect)
  if (kept.length > countMax) kept.pop()
}
