/** Work in lanes: one at a time in each, lanes beside one another, so that who is slow in one holds up nobody in another. */
export interface Lanes {
  /** Takes the work on; false where its lane has as much as it may, and the work is left for later. Waits while all lanes are taken. */
  add(lane: string, work: () => Promise<void>): Promise<boolean>
  /** When all that was taken on is done. */
  idle(): Promise<void>
}

interface Lane {
  taken: number
  last: Promise<void>
}

/** `work` must not reject. */
export function createLanes({ lanesMax, perLaneMax }: { lanesMax: number; perLaneMax: number }): Lanes {
  const lanes = new Map<string, Lane>()
  const ends = () => [...lanes.values()].map(({ last }) => last)

  const end = (name: string, lane: Lane) => {
    lane.taken -= 1
    if (lane.taken === 0) lanes.delete(name)
  }
  return {
    add: async (name, work) => {
      while (!lanes.has(name) && lanes.size >= lanesMax) await Promise.race(ends())
      const lane = lanes.get(name) ?? { taken: 0, last: Promise.resolve() }
      if (lane.taken >= perLaneMax) return false
      lanes.set(name, lane)
      lane.taken += 1
      lane.last = lane.last.then(work).finally(() => end(name, lane))
      return true
    },
    idle: async () => {
      while (lanes.size > 0) await Promise.all(ends())
    },
  }
}
