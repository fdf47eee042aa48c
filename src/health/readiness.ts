import { inTime } from '../base/in-time'
import type { Clock } from '../base/clock'
import { createStaleCache } from '../base/stale-cache'
import { judgeReadiness, type ReadinessState } from './judge-readiness'
import { kindOfError, partNames, type Found, type Look, type PartName, type PartState } from './part'

/** One look serves everyone who asks within this time: anyone may ask, and each look costs every part a request. */
export const FRESH_MS = 2_000
/** A part that says nothing for so long fails. */
const LOOK_MS_MAX = 2_000

/** How this instance stands, part by part. */
export interface ReadinessView {
  readonly state: ReadinessState
  readonly parts: readonly PartView[]
}

export interface PartView {
  readonly name: PartName
  readonly state: PartState
  /** When it was first found so, Unix milliseconds; only looks tell, and nobody may have looked before. */
  readonly since: number
  readonly why: string | undefined
}

export interface Readiness {
  /** At most `FRESH_MS` old, but for stopping, which shows at once. Never rejects, and waits `LOOK_MS_MAX` at most. */
  look(): Promise<ReadinessView>
}

export interface ReadinessDeps {
  /** Of the parts that this instance has. */
  readonly looks: Readonly<Partial<Record<PartName, Look>>>
  readonly isStopping: () => boolean
  readonly clock: Clock
}

export function createReadiness({ looks, isStopping, clock }: ReadinessDeps): Readiness {
  const since = new Map<PartName, PartView>()
  /** A look that hangs goes on being waited for, rather than another one begun beside it. */
  const underWay = new Map<PartName, Promise<Found>>()

  const looking = (name: PartName, look: Look): Promise<Found> => {
    const begun = underWay.get(name)
    if (begun) return begun
    const fresh = Promise.resolve()
      .then(look)
      .catch((error: unknown): Found => ({ state: 'failing', why: kindOfError(error) }))
      .finally(() => underWay.delete(name))
    underWay.set(name, fresh)
    return fresh
  }

  const lookAt = async (name: PartName, look: Look): Promise<PartView> => {
    const found = await inTime({ clock, timeoutMs: LOOK_MS_MAX, what: name }, looking(name, look)).catch((): Found => ({
      state: 'failing',
      why: 'no answer in time',
    }))
    const before = since.get(name)
    const view: PartView = {
      name,
      state: found.state,
      why: found.why,
      since: before?.state === found.state ? before.since : clock.now(),
    }
    since.set(name, view)
    return view
  }

  const parts = createStaleCache<'parts', readonly PartView[]>({
    clock,
    load: () =>
      Promise.all(
        partNames.flatMap((name) => {
          const look = looks[name]
          return look ? [lookAt(name, look)] : []
        }),
      ),
    freshMs: FRESH_MS,
    staleMs: FRESH_MS,
    entriesMax: 1,
    // No look rejects.
    onError: () => {},
  })

  return {
    look: async () => {
      const views = await parts.get('parts')
      const found = new Map<PartName, Found>(views.map((view) => [view.name, view]))
      return { state: judgeReadiness(found, isStopping()), parts: views }
    },
  }
}
