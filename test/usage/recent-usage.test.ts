import fc from 'fast-check'
import type { TenantId } from '../../src/base/ids'
import type { StorageAccount } from '../../src/storage/connect'
import { TenantScope } from '../../src/storage/tenant-scope'
import { createBlobCursors } from '../../src/usage/blob-cursors'
import { mergeGroups } from '../../src/usage/merge-groups'
import { createRecentUsage, NOTES_KEPT_MS, type RecentTenant } from '../../src/usage/recent-usage'
import { createRollUp } from '../../src/usage/run-roll-up'
import { createUsageReader, type UsagePiece } from '../../src/usage/usage-reader'
import { cursorTable } from '../../src/usage/usage-tables'
import { encodeGroups } from '../../src/usage/usage-rows'
import { intentOf, settlementOf } from '../metering/records'
import { histories, tenants, type History } from './histories'
import { freshUsage, writeHistories, type FreshUsage } from './usage-fixtures'
import { dyingStorage } from './watched-storage'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const START = Date.UTC(2026, 5, 1, 10)

const recentOf = ({ storage, clock }: FreshUsage) =>
  createRecentUsage({ storage, clock, cursors: createBlobCursors(storage) })

const call = (name: string, atMs: number, tenantId: TenantId = 'ten_a', blob = 0): History => ({
  intent: intentOf(name, { tenantId, startedAt: atMs }),
  settlement: settlementOf(),
  blob,
})

/** By minute, as text to compare. */
function shown(pieces: readonly UsagePiece[], fromMs: number): string[] {
  const byMinute = Map.groupBy(
    pieces.filter(({ startMs }) => startMs >= fromMs),
    ({ startMs }) => startMs,
  )
  return [...byMinute]
    .map(([startMs, some]) => ({ startMs, groups: encodeGroups(mergeGroups(some.flatMap(({ groups }) => groups))) }))
    .filter(({ groups }) => groups.length > 0)
    .map((minute) => JSON.stringify(minute))
    .sort()
}

describe('what was rolled up lately', () => {
  it('is told as a tenant’s rows tell it, whoever rolled up what, and news is what has changed', async () => {
    const minutes = 8
    const some = histories({ startMs: START, spanMinutes: minutes, blobs: 2, callsMin: 20, callsMax: 40 })
    await fc.assert(
      fc.asyncProperty(
        some,
        fc.array(fc.nat(minutes + 1), { minLength: 40, maxLength: 40 }),
        fc.constantFrom(1, 2),
        async (calls, told, instances) => {
          const usage = await freshUsage(START)
          const rollUps = [createRollUp(usage), createRollUp(usage)]
          const [reader, store] = [recentOf(usage).reader(), createUsageReader(usage)]
          for (let minute = 0; minute <= minutes + 2; minute++) {
            // Told of in the minute in which they came in or later.
            const now = calls.filter(
              ({ intent }, at) => minute === Math.max(told[at] ?? 0, Math.floor((intent.startedAt - START) / MINUTE)),
            )
            await writeHistories(usage, now, START)
            usage.clock.nowMs = START + minute * MINUTE + 59_999
            await rollUps[minute % instances]?.run()
            const endMs = START + (minute + 1) * MINUTE
            const sinceMs = endMs - 3 * MINUTE
            const look = reader.look({ sinceMs, endMs })
            const found = new Map<TenantId, RecentTenant>()
            for await (const tenant of look.tenants) {
              expect(found.has(tenant.tenantId)).toBe(false)
              found.set(tenant.tenantId, tenant)
            }
            look.done()
            for (const tenantId of tenants) {
              const rows = await Array.fromAsync(
                store.read(TenantScope.ofPlatform(tenantId), { fromMs: sinceMs, toMs: endMs }, 'minute'),
              )
              expect(shown(found.get(tenantId)?.pieces() ?? [], sinceMs)).toEqual(shown(rows, sinceMs))
              const isNews = found.get(tenantId)?.isNews ?? false
              // Of two instances, each also notes again what the other has written in between.
              if (now.some(({ intent }) => intent.tenantId === tenantId)) expect(isNews).toBe(true)
              else if (instances === 1) expect(isNews).toBe(false)
            }
          }
        },
      ),
      { numRuns: 6 },
    )
  })

  it('is news until the minute in which it came in has been seen to its end', async () => {
    const usage = await freshUsage(START)
    const reader = recentOf(usage).reader()
    const look = async (endMs: number) => {
      const one = reader.look({ sinceMs: endMs - 3 * MINUTE, endMs })
      const [found] = await Array.fromAsync(one.tenants)
      one.done()
      return found?.isNews
    }
    await writeHistories(usage, [call('first', START + 5_000)], START)
    usage.clock.nowMs = START + 10_000
    await createRollUp(usage).run()
    expect(await look(START)).toBe(true)
    usage.clock.nowMs += MINUTE
    expect(await look(START + MINUTE)).toBe(true)
    usage.clock.nowMs += MINUTE
    expect(await look(START + 2 * MINUTE)).toBe(false)
    usage.clock.nowMs += 5 * MINUTE
    expect(await look(START + 7 * MINUTE)).toBeUndefined()
  })

  it('is news again to a look that was broken off', async () => {
    const usage = await freshUsage(START + MINUTE)
    await writeHistories(usage, [call('first', START)], START)
    await createRollUp(usage).run()
    const reader = recentOf(usage).reader()
    const span = { sinceMs: START, endMs: START + MINUTE }
    for (let time = 0; time < 2; time++)
      expect((await Array.fromAsync(reader.look(span).tenants)).map(({ isNews }) => isNews)).toEqual([true])
  })

  it('is missed of nobody when a process dies before any of its requests', async () => {
    const ids = tenants.flatMap((tenantId) => [tenantId, `${tenantId}2`, `${tenantId}3`] as const) as TenantId[]
    for (let requests = 0; ; requests++) {
      const usage = await freshUsage(START + MINUTE)
      await writeHistories(
        usage,
        ids.map((tenantId, at) => call(`c${at}`, START, tenantId, at % 2)),
        START,
      )
      const storage: StorageAccount & { isDead: boolean } = dyingStorage(usage.storage, requests)
      await createRollUp({ ...usage, storage })
        .run()
        .catch(() => undefined)
      await createRollUp(usage).run()
      const look = recentOf(usage)
        .reader()
        .look({ sinceMs: START, endMs: START + MINUTE })
      const found = await Array.fromAsync(look.tenants)
      expect(found.map(({ tenantId }) => tenantId).sort()).toEqual([...ids].sort())
      if (!storage.isDead) break
    }
  })

  it('says what it leaves out: minutes that are long over, and tenants with very much', async () => {
    const usage = await freshUsage(START + 20 * MINUTE)
    const large = Array.from({ length: 60 }, (_, at): History => {
      const { intent, settlement } = call(`l${at}`, START + 19 * MINUTE, 'ten_large')
      return { intent: { ...intent, keyId: `key_${at}` }, settlement, blob: 0 }
    })
    const calls = [call('old', START), call('new', START + 19 * MINUTE), call('late', START + 3 * MINUTE, 'ten_late')]
    await writeHistories(usage, [...calls, ...large], START)
    await createRollUp(usage).run()
    const look = recentOf(usage)
      .reader()
      .look({ sinceMs: START + 19 * MINUTE, endMs: START + 20 * MINUTE })
    const found = new Map((await Array.fromAsync(look.tenants)).map((tenant) => [tenant.tenantId, tenant]))
    expect(found.get('ten_a')?.untoldMs).toBe(START)
    expect(
      found
        .get('ten_a')
        ?.pieces()
        .map(({ startMs }) => startMs),
    ).toEqual([START + 19 * MINUTE])
    expect(found.get('ten_late')?.untoldMs).toBe(START + 3 * MINUTE)
    expect(found.get('ten_large')?.untoldMs).toBe(START + 19 * MINUTE)
    expect(found.get('ten_large')?.pieces()).toEqual([])
  })

  it('is forgotten after hours, also what was noted while nobody forgot', async () => {
    const usage = await freshUsage(START)
    const rollUp = createRollUp(usage)
    for (let hour = 0; hour < 3; hour++) {
      usage.clock.nowMs = START + hour * HOUR + 30 * MINUTE
      await writeHistories(usage, [call(`at${hour}`, usage.clock.nowMs)], START + hour * HOUR)
      await rollUp.run()
      if (hour === 0) await rollUp.compact()
    }
    const notes = async () => {
      const partitions = new Set<string>()
      for await (const { partitionKey } of usage.storage.table(cursorTable).listEntities())
        if (partitionKey?.startsWith('noted-')) partitions.add(partitionKey.slice('noted-2026060110'.length - 2))
      return [...partitions].sort()
    }
    expect(await notes()).toEqual(['1030', '1130', '1230'])
    usage.clock.nowMs = START + 2 * HOUR + NOTES_KEPT_MS
    await createRollUp(usage).compact()
    expect(await notes()).toEqual(['1230'])
  })
})
