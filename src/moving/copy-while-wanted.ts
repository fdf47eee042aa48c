import type { Clock } from '../base/clock'
import type { Move, Places } from '../storage/places'
import type { TenantScope } from '../storage/tenant-scope'
import { WRITE_MS_MAX } from '../storage/write-gate'
import { copyPlace } from './copy-place'

const CHECK_MS = 1_000

/**
 * Copies for as long as the move is as it was when the copy began. A host that loses sight of an activity runs it again while
 * the first may be at work still: that one must not write over what is written after the switch. So it asks before its
 * changes and never changes anything later than `WRITE_MS_MAX` after it has asked; a catch-up waits longer than that.
 */
export async function copyWhileWanted(
  { places, clock }: { places: Places; clock: Clock },
  scope: TenantScope,
  { operationId, from, to, fencedUntilMs }: Move,
): Promise<number> {
  const ending = new AbortController()
  let checkedMs = -CHECK_MS
  let cancel = () => {}
  const mayChange = async () => {
    if (clock.monotonicMs() - checkedMs < CHECK_MS) return
    const askedMs = clock.monotonicMs()
    const move = await places.move(scope, operationId)
    if (!move || move.switchedAt !== undefined || move.fencedUntilMs !== fencedUntilMs)
      throw new Error('another attempt of this move has gone further')
    cancel()
    cancel = clock.after(Math.max(0, askedMs + WRITE_MS_MAX - clock.monotonicMs()), () => ending.abort())
    checkedMs = askedMs
  }
  try {
    return await copyPlace(
      await places.contents(scope, from),
      await places.contents(scope, to, ending.signal),
      mayChange,
    )
  } finally {
    cancel()
  }
}
