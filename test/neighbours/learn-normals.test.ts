import fc from 'fast-check'
import type { BackendId } from '../../src/base/ids'
import { learnNormals, learnsAt } from '../../src/neighbours/learn-normals'
import { encodePoolNormal, usualLoad, type PoolNormal } from '../../src/neighbours/pool-normal'
import { TenantScope } from '../../src/storage/tenant-scope'
import { LatencySketch } from '../../src/usage/latency-sketch'
import type { UsagePiece, UsageReader } from '../../src/usage/usage-reader'
import { zeroSums, type GroupSums } from '../../src/usage/usage-sums'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const scope = TenantScope.ofPlatform('ten_a')
const pool = { id: 'bke_a', backendIds: ['bke_a'], aliases: ['chat'] } as const

function groupOf(tokens: number, operation = 'chat.completions'): GroupSums {
  const latency = new LatencySketch()
  latency.add(1_000, 10)
  return {
    group: {
      key: 'key_a',
      alias: 'chat',
      model: 'gpt-4.1-mini',
      operation,
      outcome: 'completed',
      backend: 'bke_a',
      deployment: null,
      region: null,
    },
    sums: { ...zeroSums(), calls: 10, promptTokens: tokens },
    sketches: { latency, firstByte: new LatencySketch(), queued: new LatencySketch() },
  }
}

const readerOf = (pieces: readonly UsagePiece[]): UsageReader => ({
  read: async function* (_scope, { fromMs, toMs }) {
    yield* pieces.filter(({ startMs }) => startMs >= fromMs && startMs < toMs)
  },
})

/** 24 hours of which the ones at night are idle. */
const day = (tokensAt: (minute: number) => number): UsagePiece[] =>
  Array.from({ length: 24 * 60 }, (_, minute) => minute)
    .filter((minute) => minute >= 6 * 60 && minute < 22 * 60)
    .map((minute) => ({ startMs: minute * MINUTE_MS, groups: [groupOf(tokensAt(minute))] }))

async function learn(pieces: readonly UsagePiece[], upTo: readonly number[]) {
  const normals = new Map<BackendId, PoolNormal>()
  for (const hour of upTo)
    await learnNormals(readerOf(pieces), scope, {
      pools: [pool],
      normals,
      keptFromMs: 0,
      toMs: hour * HOUR_MS,
      noisyIn: () => false,
    })
  return normals.get(pool.id)
}

describe('a tenant’s normal', () => {
  it('is the same however often and in whatever steps it is learned, and in whatever pieces usage comes', async () => {
    const pieces = day((minute) => 1_000 + (minute % 7) * 100)
    const once = await learn(pieces, [24])
    const halves = pieces.flatMap(({ startMs, groups }) => [
      { startMs, groups: [] },
      { startMs, groups },
    ])
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 24 }), { maxLength: 6 }), async (hours) => {
        const steps = [...hours.toSorted((a, b) => a - b), 24, 24]
        const learned = await learn(halves, steps)
        expect(learned && encodePoolNormal(learned)).toEqual(once && encodePoolNormal(once))
      }),
      { numRuns: 10 },
    )
  })

  it('begins with its first call, and has idle hours from then on', async () => {
    const normal = await learn(
      day(() => 1_000),
      [24],
    )
    expect(normal?.load.at(0).hours).toBe(18)
    expect(normal?.learnedToMs).toBe(24 * HOUR_MS)
  })

  it('counts what batches used, which is known all at once, spread over the hour after', async () => {
    const lump: UsagePiece = { startMs: 23 * HOUR_MS, groups: [groupOf(600_000, 'batch.chat.completions')] }
    const normal = await learn([...day(() => 1_000), lump], [24])
    expect(normal?.laterTokens).toBe(10_000)
    expect(normal && usualLoad(normal, 24 * HOUR_MS).usual).toBeGreaterThanOrEqual(10_000)
  })

  it('does not take a flood for usual: that hour is learned as three scales out at most', async () => {
    const calm = day(() => 1_000)
    const flood = calm.map(({ startMs, groups }) => ({
      startMs,
      groups: startMs >= 21 * HOUR_MS ? [groupOf(900_000)] : groups,
    }))
    const of = async (wasNoisy: boolean) => {
      const normals = new Map<BackendId, PoolNormal>()
      const noisyIn = (_pool: BackendId, hourStartMs: number) => wasNoisy && hourStartMs === 21 * HOUR_MS
      await learnNormals(readerOf(flood), scope, { pools: [pool], normals, keptFromMs: 0, toMs: 22 * HOUR_MS, noisyIn })
      return normals.get(pool.id)?.load.at(21 * HOUR_MS).seenMax ?? 0
    }
    expect(await of(false)).toBeGreaterThan(800_000)
    expect(await of(true)).toBeLessThan(20_000)
  })

  it('is learned when the hour’s calls have ended, each tenant in its own minute', () => {
    const turns = new Set<number>()
    for (let i = 0; i < 300; i++) {
      const tenantId = `ten_${i}` as const
      const minute = Array.from({ length: 60 }, (_, at) => at).find(
        (at) => learnsAt(tenantId, 10 * HOUR_MS + at * MINUTE_MS) === 10 * HOUR_MS,
      )
      expect(minute).toBeGreaterThanOrEqual(5)
      turns.add(minute ?? 0)
    }
    expect(turns.size).toBeGreaterThan(30)
  })
})
