import type { StorageAccount } from '../storage/connect'
import { createNeighbourStore } from './neighbour-store'
import { createNoisyNeighbours, type NoisyNeighboursDeps } from './noisy-neighbours'
import { createWatchNeighbours, type WatchNeighboursDeps } from './watch-neighbours'

export type NeighbourParts = Omit<NoisyNeighboursDeps & WatchNeighboursDeps, 'store'> & {
  readonly storage: StorageAccount
}

/** Everything of noisy neighbours, put together. */
export function assembleNeighbours(parts: NeighbourParts) {
  const deps = { ...parts, store: createNeighbourStore(parts.storage) }
  return {
    store: deps.store,
    noisyNeighbours: createNoisyNeighbours(deps),
    /** For the timer, each minute; how many findings were changed. */
    watch: createWatchNeighbours(deps),
  }
}
