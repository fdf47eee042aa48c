import { createLateUsage, LATE_CLOSED_AFTER_MS, type LateClaim, type LateEntry } from '../../src/metering/late-usage'
import { createRollUp, SEAL_AFTER_MS } from '../../src/usage/run-roll-up'
import { freshUsage, report, type FreshUsage } from '../usage/usage-fixtures'
import { faultyStorage, type Fault } from './faulty-storage'
import { intentOf, settlementOf } from './records'

const HOUR = 3_600_000
/** At present, or storage would not take the signatures. */
const TEN = Math.floor(Date.now() / HOUR) * HOUR
const TENANT = 'ten_a'
const day = { from: new Date(TEN).toISOString(), to: new Date(TEN + 12 * HOUR).toISOString() }

/** More than one block holds. */
const MANY = 9_000

const claimOf = (more: Partial<LateClaim> = {}): LateClaim => ({ id: 'batch_1', atMs: TEN, sequence: 0, ...more })

function* entries(count: number, { atMs, from = 0 }: { atMs: number; from?: number }): Generator<LateEntry> {
  for (let line = from; line < count; line++)
    yield { intent: intentOf(`line${line}`, { startedAt: atMs }), settlement: settlementOf() }
}

const callsOf = async (usage: FreshUsage) => (await report(usage, TENANT, day)).totals.calls

describe('late usage', () => {
  it('counts once, however often and by however many it is recorded', async () => {
    const usage = await freshUsage(TEN + 1_000)
    const [one, two] = [createLateUsage(usage), createLateUsage(usage)]
    const record = (late: typeof one) => late.record(claimOf(), entries(MANY, { atMs: TEN }))
    expect(await Promise.all([record(one), record(two)])).toEqual([{ kind: 'recorded' }, { kind: 'recorded' }])
    expect(await record(one)).toEqual({ kind: 'recorded' })
    expect(await callsOf(usage)).toBe(MANY)
    await Promise.all([one.close(), two.close()])
  })

  it('goes on where a writer that died had come to', async () => {
    const usage = await freshUsage(TEN + 1_000)
    const late = createLateUsage(usage)
    const dying = function* () {
      yield* entries(MANY - 1, { atMs: TEN })
      throw new Error('killed')
    }
    await expect(late.record(claimOf(), dying())).rejects.toThrow('killed')
    await createRollUp(usage).run()
    expect(await late.record(claimOf(), entries(MANY, { atMs: TEN }))).toEqual({ kind: 'recorded' })
    expect(await callsOf(usage)).toBe(MANY)
    await late.close()
  })

  it.each<[string, Fault]>([
    ['requests are lost', { kind: 'lost-request' }],
    ['answers are lost', { kind: 'lost-answer' }],
    ['storage says that it failed and did not', { kind: 'false-answer', status: 500 }],
    ['requests arrive late, when others have been sent', { kind: 'late-request', delayMs: 400 }],
    ['storage is busy', { kind: 'refusal', status: 503, code: 'ServerBusy' }],
  ])('counts once where %s', async (_name, fault) => {
    const usage = await freshUsage(TEN + 1_000)
    let requests = 0
    const prefix = usage.storage.table('x').tableName.replace(/x$/, '')
    const faulty = await faultyStorage(prefix, () => (requests++ % 2 === 0 ? fault : { kind: 'none' }))
    const late = createLateUsage({ storage: faulty.storage, clock: usage.clock })
    expect(await late.record(claimOf(), entries(MANY, { atMs: TEN }))).toEqual({ kind: 'recorded' })
    await faulty.settled()
    expect(requests).toBeGreaterThan(4)
    expect(await callsOf(usage)).toBe(MANY)
    await late.close()
    await faulty.close()
  })

  it('of a claim that is too old goes on under the next, and whoever still writes under the first changes nothing', async () => {
    const usage = await freshUsage(TEN + 1_000)
    const late = createLateUsage(usage)
    const dying = function* () {
      yield* entries(MANY - 1, { atMs: TEN })
      throw new Error('killed')
    }
    await expect(late.record(claimOf(), dying())).rejects.toThrow('killed')

    usage.clock.nowMs = TEN + HOUR + LATE_CLOSED_AFTER_MS + 1_000
    const closed = await late.record(claimOf(), entries(MANY, { atMs: TEN }))
    if (closed.kind !== 'closed') throw new Error('the claim was still taken')
    expect(closed.entries).toBeGreaterThan(0)
    expect(closed.entries).toBeLessThan(MANY)

    const atMs = usage.clock.nowMs
    const next = claimOf({ atMs, sequence: 1 })
    expect(await late.record(next, entries(MANY, { atMs, from: closed.entries }))).toEqual({ kind: 'recorded' })
    expect(await late.record(claimOf(), entries(MANY, { atMs: TEN }))).toEqual(closed)
    expect(await callsOf(usage)).toBe(MANY)
    await late.close()
  })

  it('of a claim under which nothing was written in time counts under the next alone', async () => {
    const usage = await freshUsage(TEN + 1_000)
    await createRollUp(usage).run()
    usage.clock.nowMs = TEN + 5 * HOUR
    const late = createLateUsage(usage)
    expect(await late.record(claimOf(), entries(3, { atMs: TEN }))).toEqual({ kind: 'closed', entries: 0 })
    const atMs = usage.clock.nowMs
    expect(await late.record(claimOf({ atMs, sequence: 1 }), entries(3, { atMs }))).toEqual({ kind: 'recorded' })
    expect(await callsOf(usage)).toBe(3)
    await late.close()
  })

  it('is closed well before the roll-up leaves its hour behind', () => {
    expect(LATE_CLOSED_AFTER_MS).toBeLessThan(SEAL_AFTER_MS)
  })
})
