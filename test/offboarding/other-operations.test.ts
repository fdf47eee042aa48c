import { createIdMaker, idTimeMs } from '../../src/base/ids'
import { systemChance } from '../../src/base/chance'
import { purgeOthers, SPAN_MS } from '../../src/offboarding/other-operations'
import { handClock } from '../harness/hand-clock'

const DAY_MS = 86_400_000
const MADE_MS = Date.UTC(2023, 1, 3, 4, 5)
const ids = createIdMaker({ clock: handClock(MADE_MS), chance: systemChance() })

/** A host that keeps what was begun at these times, and tells how much of it was asked for at once. */
function host(kept: Map<string, { tenantId: string; begunMs: number }>) {
  const spans: number[] = []
  return {
    kept,
    spans,
    ended: async ({ fromMs, toMs }: { fromMs: number; toMs: number }) => {
      spans.push(toMs - fromMs)
      return [...kept]
        .filter(([, { begunMs }]) => begunMs >= fromMs && begunMs <= toMs)
        .map(([instanceId, { tenantId }]) => ({ instanceId, input: { tenantId } }))
    },
    purge: async (instanceId: string) => void kept.delete(instanceId),
  }
}

it('an id tells when it was made', () => {
  expect(idTimeMs(ids.tenantId())).toBe(MADE_MS)
})

it('whatever was begun for a tenant since it is there is purged, and never more than a month of it is read at once', async () => {
  const [gone, other] = [ids.tenantId(), ids.tenantId()]
  const nowMs = MADE_MS + 1_000 * DAY_MS
  const own = [-60_000, 0, 29.9, 30, 30.1, 500, 999, 1_000].map((days) => {
    const begunMs = days < 0 ? MADE_MS + days : MADE_MS + days * DAY_MS
    return [`mov_${days}`, { tenantId: gone, begunMs }] as const
  })
  const operationId = 'off_1'
  const orchestrations = host(
    new Map([
      ...own,
      [operationId, { tenantId: gone, begunMs: nowMs }],
      ['mov_other', { tenantId: other, begunMs: nowMs - DAY_MS }],
    ]),
  )
  const purged = await purgeOthers(orchestrations, { operationId, tenantId: gone }, nowMs)
  expect([...orchestrations.kept.keys()].sort()).toEqual(['mov_other', operationId])
  expect(purged.toSorted()).toEqual(own.map(([id]) => id).sort())
  expect(Math.max(...orchestrations.spans)).toBe(SPAN_MS)
  expect(orchestrations.spans.length).toBeLessThan(40)
})
