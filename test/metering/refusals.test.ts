import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock'
import { createUsageLog } from '../../src/metering/create-usage-log'
import { usageLogContainer } from '../../src/metering/log-blob-name'
import { RefusalCounts } from '../../src/metering/refusal-counts'
import { usageLogBounds } from '../../src/metering/usage-log-bounds'
import type { RefusedCall } from '../../src/metering/usage-record'
import type { StorageAccount } from '../../src/storage/connect'
import { freshStorage } from '../harness/storage'
import { faultyStorage } from './faulty-storage'
import { linesOf, silentLog, talliesOf } from './read-all'
import { intentOf, settlementOf } from './records'

const refused = (more: Partial<RefusedCall> = {}): RefusedCall => ({
  startedAt: Date.UTC(2026, 0, 1, 10, 30),
  tenantId: 'ten_a',
  keyId: 'key_1',
  alias: 'fast',
  model: 'gpt-4.1-mini',
  operation: 'chat.completions',
  code: 'rate_limit_exceeded',
  status: 429,
  ...more,
})

async function log(bounds: Partial<typeof usageLogBounds> = {}, storage: StorageAccount = freshStorage()) {
  await storage.ensure({ containers: [usageLogContainer] })
  const usageLog = createUsageLog(
    { storage, clock: systemClock, instanceId: 'ins_test', log: silentLog },
    { ...usageLogBounds, ...bounds },
  )
  return { usageLog, container: storage.container(usageLogContainer) }
}

describe('refusals in the usage log', () => {
  it('are counted together by minute, tenant, key, alias, operation and code', async () => {
    const { usageLog, container } = await log()
    const different = [
      {},
      { startedAt: Date.UTC(2026, 0, 1, 10, 31) },
      { tenantId: 'ten_b' },
      { keyId: 'key_2' },
      { alias: 'good' },
      { operation: 'embeddings' },
      { code: 'concurrency_limit_exceeded' },
    ] as const
    for (let i = 0; i < 70; i++) usageLog.refused(refused(different[i % 7]))
    usageLog.refused(refused({ startedAt: Date.UTC(2026, 0, 1, 10, 30, 59) }))
    await usageLog.close()

    const tallies = await talliesOf(container)
    expect(tallies.map(({ calls }) => calls)).toEqual([11, 10, 10, 10, 10, 10, 10])
    expect(tallies[0]).toEqual({ ...refused(), calls: 11, tallyId: tallies[0]?.tallyId })
    expect(new Set(tallies.map(({ tallyId }) => tallyId)).size).toBe(7)
  })

  it('are in the log once it is flushed, each once, in lines of their own ids', async () => {
    const { usageLog, container } = await log()
    for (let round = 1; round <= 3; round++) {
      usageLog.refused(refused())
      await usageLog.flush()
      expect((await talliesOf(container)).reduce((sum, { calls }) => sum + calls, 0)).toBe(round)
    }
    await usageLog.close()
    expect(new Set((await talliesOf(container)).map(({ tallyId }) => tallyId)).size).toBe(3)
  })

  it('are written without being asked for, soon after the first', async () => {
    const { usageLog, container } = await log({ tallyLingerMs: 20 })
    for (let i = 0; i < 5; i++) usageLog.refused(refused())
    while ((await talliesOf(container)).length === 0) await sleep(10)
    expect(await talliesOf(container)).toMatchObject([{ calls: 5 }])
    await usageLog.close()
  })

  it('share their append with calls, and are sealed with them', async () => {
    const { usageLog, container } = await log()
    const call = usageLog.open(intentOf(1, { startedAt: Date.now() }))
    usageLog.refused(refused())
    call?.settle(settlementOf())
    await usageLog.close()
    expect(await linesOf(container)).toHaveLength(1)
    expect(await talliesOf(container)).toHaveLength(1)
    const blobs = await Array.fromAsync(container.listBlobsFlat())
    expect(blobs.map(({ properties }) => properties.isSealed)).toEqual([true])
  })

  it('are there once though storage answers badly and takes an append without saying so', async () => {
    const account = freshStorage()
    await account.ensure({ containers: [usageLogContainer] })
    let faults = 4
    const proxy = await faultyStorage(account.prefix, ({ isAppend }) => {
      if (!isAppend || faults-- <= 0) return { kind: 'none' }
      return faults % 2 === 0 ? { kind: 'refusal', status: 503, code: 'ServerBusy' } : { kind: 'lost-answer' }
    })
    const { usageLog } = await log({ backOffMsMin: 1 }, proxy.storage)
    for (let i = 0; i < 8; i++) usageLog.refused(refused())
    await usageLog.flush()
    await usageLog.close()
    await proxy.close()
    expect(await talliesOf(account.container(usageLogContainer))).toMatchObject([{ calls: 8 }])
  })
})

describe('counts of refusals', () => {
  it('are bounded by how many different ones there are, not by how many come', () => {
    const counts = new RefusalCounts('ins_x', 2)
    const taken = ['a', 'b', 'c', 'a', 'b'].map((alias) => counts.add(refused({ alias })))
    expect(taken).toEqual([true, true, false, true, true])
    expect(counts.take().map(({ alias, calls }) => [alias, calls])).toEqual([
      ['a', 2],
      ['b', 2],
    ])
    expect(counts.isEmpty).toBe(true)
    expect(counts.add(refused({ alias: 'c' }))).toBe(true)
  })
})
