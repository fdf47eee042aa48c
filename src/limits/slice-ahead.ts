import type { Room } from './judge-ask'
import type { Lease, Resource } from './window-state'

/** The least worth leasing ahead while a tenant is in use: saves a trickle of calls a write each. */
const SLICE_SHARE_MIN = 1 / 64
/** Of what is left, one slice takes at most this share, over the number of holders: so slices shrink as the window fills. */
const SLICE_SHARE_OF_ROOM = 1 / 2
/** A slice below this share of the limit is not leased: at the end each call takes exactly what it needs. */
const EXACT_BELOW_SHARE = 1 / 500

/** How much to lease beyond what waiting calls take: what will be needed soon, but never so much that others run dry. */
export function sliceAhead(room: Room, demand: Lease, holders: number): Lease {
  const idle = demand.requests <= 0
  const slice = (resource: Resource) => {
    const limit = room.standing.caps[resource]
    const wanted = Math.max(demand[resource], Number.isFinite(limit) ? limit * SLICE_SHARE_MIN : 0)
    const share = (room.left[resource] * SLICE_SHARE_OF_ROOM) / holders
    const size = Math.floor(Math.min(Math.ceil(wanted), share))
    return size > 0 && !(size < limit * EXACT_BELOW_SHARE && Number.isFinite(limit)) ? size : 0
  }
  return idle
    ? { requests: 0, tokens: 0, slots: 0 }
    : { requests: slice('requests'), tokens: slice('tokens'), slots: slice('slots') }
}
