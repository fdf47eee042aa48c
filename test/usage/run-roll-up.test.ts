import fc from 'fast-check'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock'
import { createUsageLog } from '../../src/metering/create-usage-log'
import { createRollUp, FRESH_INTERVAL_MS, type RollUp } from '../../src/usage/run-roll-up'
import { handClock } from '../harness/hand-clock'
import { watchTraffic } from '../harness/traffic'
import { intentOf, settlementOf } from '../metering/records'
import { faultyStorage } from '../metering/faulty-storage'
import { linesOf } from '../metering/read-all'
import { appendLines, histories, linesOfCall, tenants, type History } from './histories'
import { blobName, freshUsage, report, storedRows, writeHistories, type FreshUsage } from './usage-fixtures'
import { dyingStorage, watchedStorage } from './watched-storage'

const HOUR = 3_600_000
const TEN = Date.UTC(2026, 0, 1, 10)
const anyHistories = histories({ startMs: TEN, spanMinutes: 5, blobs: 3, callsMin: 30, callsMax: 40 })
const sample = (seed: number): History[] =>
  fc.sample(
    anyHistories.filter(({ length }) => length >= 25),
    { seed, numRuns: 1 },
  )[0] ?? []

const span = { from: '2026-01-01T10:00:00Z', to: '2026-01-01T11:00:00Z' }
const everyGroup = { ...span, interval: 'minute', groupBy: 'key,alias,outcome,backend,region' }

const allReports = (usage: FreshUsage, rollUp?: Pick<RollUp, 'run'>) =>
  Promise.all(tenants.map((tenantId) => report(usage, tenantId, everyGroup, rollUp)))

/** What the same calls give when they are rolled up in one go, with nothing going wrong. */
async function undisturbed(calls: readonly History[]) {
  const usage = await freshUsage(TEN + HOUR)
  await writeHistories(usage, calls, TEN)
  return allReports(usage)
}

describe('the roll-up', () => {
  it('writes the same rows when it is run again, by whomever', async () => {
    const usage = await freshUsage(TEN + HOUR)
    await writeHistories(usage, sample(1), TEN)
    await createRollUp(usage).run()
    const rows = await storedRows(usage, 'ten_a')
    await createRollUp(usage).run()
    await createRollUp(usage).run()

    expect(rows.length).toBeGreaterThan(3)
    expect(await storedRows(usage, 'ten_a')).toEqual(rows)
  })

  it('takes in what blobs have grown by, call by call, as if they had been whole from the start', async () => {
    const calls = sample(2)
    const usage = await freshUsage(TEN + HOUR)
    const rollUp = createRollUp(usage)
    const lines = calls.flatMap((call) => linesOfCall(call).map((line) => ({ line, blob: call.blob })))
    for (let i = 0; i < lines.length; i += 7) {
      for (const { line, blob } of lines.slice(i, i + 7))
        await appendLines(usage.container, blobName(TEN, blob), [line])
      // Every third time by a process that has not read these blobs before.
      await (i % 3 === 0 ? createRollUp(usage) : rollUp).run()
    }
    expect(await allReports(usage)).toEqual(await undisturbed(calls))
  })

  it('loses and doubles nothing when a process dies before any of its requests, and another goes on', async () => {
    const calls = sample(3).slice(0, 15)
    const expected = await undisturbed(calls)
    const usage = await freshUsage(TEN + HOUR)
    await writeHistories(usage, calls, TEN)

    let deaths = 0
    for (let requests = 0; ; requests++) {
      const outcome = await createRollUp({ ...usage, storage: dyingStorage(usage.storage, requests) })
        .run()
        .then(
          () => 'lived',
          () => 'died',
        )
      if (outcome === 'lived') break
      deaths++
    }
    expect(deaths).toBeGreaterThan(5)
    expect(await allReports(usage)).toEqual(expected)
  })

  it('gives the same rows when several processes run at once, over and over, while blobs grow', async () => {
    const calls = sample(4)
    const usage = await freshUsage(TEN + HOUR)
    const runners = [1, 2, 3].map(() => createRollUp(usage))
    for (let i = 0; i < calls.length; i += 8) {
      const growing = writeHistories(usage, calls.slice(i, i + 8), TEN)
      await Promise.all([growing, ...runners.map((rollUp) => rollUp.run())])
    }
    expect(await allReports(usage)).toEqual(await undisturbed(calls))
  })

  it('does not let a process that was held up write over what a faster one wrote since', async () => {
    const calls = sample(5).map((call) => ({ ...call, blob: 0 }))
    const usage = await freshUsage(TEN + HOUR)
    await writeHistories(usage, calls.slice(0, 15), TEN)
    const hold = Promise.withResolvers<void>()
    const heldUp = Promise.withResolvers<void>()
    const slow = createRollUp({
      ...usage,
      storage: watchedStorage(usage.storage, async ({ method, url }) => {
        // Rows of a tenant go together.
        if (method === 'GET' || !/usageminutes|\$batch/.test(url)) return
        heldUp.resolve()
        await hold.promise
      }),
    }).run()
    await heldUp.promise
    await writeHistories(usage, calls.slice(15), TEN)
    await createRollUp(usage).run()
    hold.resolve()
    await slow

    // As the rows are, without a run that might mend them.
    expect(await allReports(usage, { run: async () => {} })).toEqual(await undisturbed(calls))
  })

  it('seals the blobs of hours long past, and does not look at them again', async () => {
    const usage = await freshUsage(TEN + HOUR)
    await writeHistories(usage, sample(6), TEN)
    await createRollUp(usage).run()
    const sealed = async () =>
      (await Array.fromAsync(usage.container.listBlobsFlat())).every(({ properties }) => properties.isSealed)
    expect(await sealed()).toBe(false)

    usage.clock.nowMs = TEN + 4 * HOUR
    await createRollUp(usage).run()
    expect(await sealed()).toBe(true)

    const asked: string[] = []
    const later = watchedStorage(usage.storage, async ({ url }) => void asked.push(decodeURIComponent(url)))
    await createRollUp({ ...usage, storage: later }).run()
    expect(asked.filter((url) => url.includes('2026010110'))).toEqual([])
  })

  it('finds blobs of days ago when it did not run for long', async () => {
    const calls = sample(7)
    const usage = await freshUsage(TEN + 5 * 24 * HOUR)
    await writeHistories(usage, calls, TEN)
    await writeHistories(
      usage,
      [{ intent: intentOf('today', { startedAt: usage.clock.nowMs }), settlement: settlementOf(), blob: 0 }],
      usage.clock.nowMs,
    )

    const hourly = { ...everyGroup, interval: 'hour' }
    const [now, then] = await Promise.all(tenants.slice(0, 2).map((tenantId) => report(usage, tenantId, hourly)))
    expect((now?.totals.calls ?? 0) + (then?.totals.calls ?? 0)).toBe(
      calls.filter(({ intent, settlement }) => settlement && intent.tenantId !== 'ten_c').length,
    )
    expect((await storedRows(usage, 'ten_a')).some(({ rowKey }) => rowKey.startsWith('20260106'))).toBe(true)
  })

  it('rolls up the other blobs when one cannot be read, says so, and does not leave that one behind', async () => {
    const usage = await freshUsage(TEN + HOUR)
    const unreadable = usage.container.getAppendBlobClient(blobName(TEN, 9))
    await unreadable.create()
    await unreadable.appendBlock('{"v":99}\n', 9)
    const calls = sample(8).filter(({ intent }) => intent.tenantId === 'ten_a')
    await writeHistories(usage, calls, TEN)
    usage.clock.nowMs = TEN + 5 * HOUR

    await expect(createRollUp(usage).run()).rejects.toThrow('unknown version 99')
    await expect(createRollUp(usage).run()).rejects.toThrow('unknown version 99')
    const { totals } = await report(usage, 'ten_a', span, { run: async () => {} })
    expect(totals.calls).toBe(calls.filter(({ settlement }) => settlement).length)
  })

  it('counts a call once whose blob it sealed while the call was open', async () => {
    const usage = await freshUsage(Date.now())
    const clock = { ...systemClock, shiftMs: 0, now: () => usage.clock.nowMs }
    const usageLog = createUsageLog({ ...usage, clock, instanceId: 'ins_long' })
    const startedAt = Math.floor(Date.now() / HOUR) * HOUR
    const call = usageLog.open(intentOf('long', { startedAt }))
    await call?.durable()
    usage.clock.nowMs += 4 * HOUR
    const rollUp = createRollUp({ ...usage, ownLog: usageLog })
    await rollUp.run({ fresh: true })
    call?.settle(settlementOf())
    const day = { from: new Date(startedAt).toISOString(), to: new Date(startedAt + HOUR).toISOString() }
    const { totals } = await report(usage, 'ten_a', day, rollUp)
    await usageLog.close()

    expect([totals.calls, totals.unsettled]).toEqual([1, 0])
    expect(new Set((await linesOf(usage.container)).map(({ blob }) => blob)).size).toBe(2)
  })
})

describe('a fresh run', () => {
  it('has in it what was settled before it was asked for, though another run had just begun', async () => {
    const usage = await freshUsage(Date.now())
    const usageLog = createUsageLog({ ...usage, clock: systemClock, instanceId: 'ins_own' })
    const rollUp = createRollUp({ ...usage, clock: systemClock, ownLog: usageLog })
    const now = { from: new Date(Date.now() - HOUR).toISOString(), to: new Date(Date.now() + HOUR).toISOString() }

    for (let calls = 1; calls <= 3; calls++) {
      usageLog.open(intentOf(calls, { startedAt: Date.now() }))?.settle(settlementOf())
      expect((await report({ ...usage }, 'ten_a', now, rollUp)).totals.calls).toBe(calls)
    }
    await usageLog.close()
  })

  it('waits for what this process has handed to its log and storage has not taken yet', async () => {
    const usage = await freshUsage(Date.now())
    let refusals = 3
    const proxy = await faultyStorage(usage.storage.prefix, ({ isAppend }) =>
      isAppend && refusals-- > 0 ? { kind: 'refusal', status: 503, code: 'ServerBusy' } : { kind: 'none' },
    )
    const usageLog = createUsageLog({ ...usage, storage: proxy.storage, clock: systemClock, instanceId: 'ins_own' })
    usageLog.open(intentOf(1, { startedAt: usage.clock.nowMs - 1_000 }))?.settle(settlementOf())

    const { totals } = await report(usage, 'ten_a', {}, createRollUp({ ...usage, ownLog: usageLog }))
    await usageLog.close()
    await proxy.close()

    expect(totals.calls).toBe(1)
  })

  it('never runs beside another of the same process, however slowly the log is flushed', async () => {
    const usage = await freshUsage(TEN)
    let underWay = 0
    let most = 0
    const flush = async () => {
      most = Math.max(most, ++underWay)
      await sleep(300)
    }
    // Without a log, this is a run's only request.
    const watched = watchedStorage(usage.storage, async () => {
      await sleep(100)
      underWay--
    })
    const rollUp = createRollUp({ ...usage, storage: watched, ownLog: { flush } })
    const runs: Promise<void>[] = []
    for (let i = 0; i < 15; i++) {
      runs.push(rollUp.run({ fresh: true }))
      await sleep(100)
    }
    await Promise.all(runs)

    expect([most, underWay]).toEqual([1, 0])
  })

  it('is shared by all who ask within a second', async () => {
    const usage = await freshUsage(TEN)
    let runs = 0
    const counting = watchedStorage(usage.storage, async ({ url }) => {
      if (url.includes('rolled-up')) runs++
    })
    const traffic = watchTraffic()
    const clock = handClock(TEN, traffic.rest)
    const rollUp = createRollUp({ ...usage, clock, storage: counting })
    await rollUp.run({ fresh: true })
    const before = runs
    const all = Promise.all(Array.from({ length: 50 }, () => rollUp.run({ fresh: true })))
    await clock.advance(FRESH_INTERVAL_MS - 1)
    expect(runs).toBe(before)
    await clock.advance(1)
    await all
    traffic.stop()

    expect(runs - before).toBe(before)
  })
})
