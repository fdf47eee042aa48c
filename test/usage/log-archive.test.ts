import fc from 'fast-check'
import { createLateUsage } from '../../src/metering/late-usage'
import { createKeepLog, ARCHIVED_AFTER_MS, LOG_KEPT_MS } from '../../src/usage/keep-log'
import { archiveNameOf, createLogArchive, usageArchiveContainer } from '../../src/usage/log-archive'
import { mergeGroups } from '../../src/usage/merge-groups'
import { BlobRollUp, type UsageRow } from '../../src/usage/roll-up'
import { createRollUp } from '../../src/usage/run-roll-up'
import { systemClock } from '../../src/base/clock'
import { encodeSettled } from '../../src/metering/log-line'
import { lateLogBlobName, parseLogBlobName } from '../../src/metering/log-blob-name'
import { intentOf, settlementOf } from '../metering/records'
import { histories, tenants, type History } from './histories'
import { blobName, freshUsage, report, storedRows, writeHistories, type FreshUsage } from './usage-fixtures'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const TEN = Date.UTC(2026, 0, 1, 10)
const sample = (seed: number): History[] =>
  fc.sample(histories({ startMs: TEN, spanMinutes: 90, blobs: 3, callsMin: 30, callsMax: 40 }), {
    seed,
    numRuns: 1,
  })[0] ?? []

const span = { from: '2026-01-01T09:00:00Z', to: '2026-01-01T13:00:00Z', interval: 'hour', groupBy: 'key,outcome' }
const settled = { run: async () => {} }
const allReports = (usage: FreshUsage) => Promise.all(tenants.map((tenantId) => report(usage, tenantId, span, settled)))
const namesIn = async ({ storage }: FreshUsage, container: string) =>
  (await Array.fromAsync(storage.container(container).listBlobsFlat())).map(({ name }) => name)

/** Rolled up, closed and compacted, so long after. */
async function compacted(calls: readonly History[], afterMs: number) {
  const usage = await freshUsage(TEN + 2 * HOUR)
  await writeHistories(usage, calls, TEN)
  await createRollUp(usage).run()
  usage.clock.nowMs = TEN + afterMs
  await createRollUp(usage).run()
  await createRollUp(usage).compact()
  return usage
}

async function archived(seed: number) {
  const usage = await compacted(sample(seed), ARCHIVED_AFTER_MS + 2 * HOUR)
  const before = { reports: await allReports(usage), names: await namesIn(usage, 'usage-log') }
  await createKeepLog(usage)()
  return { usage, before }
}

describe('the archive of the log', () => {
  it('has the blobs of hours that are compacted and old enough, which are no longer in the log', async () => {
    const { usage, before } = await archived(1)
    expect(before.names).toHaveLength(3)
    expect(await namesIn(usage, 'usage-log')).toEqual([])
    expect(await namesIn(usage, usageArchiveContainer)).toEqual(before.names.map(archiveNameOf))
    await createRollUp(usage).run()
    expect(await allReports(usage)).toEqual(before.reports)
  })

  it('gives the same rows when it is rolled up again', async () => {
    const { usage, before } = await archived(2)
    const archive = createLogArchive(usage.storage)
    const rows: UsageRow[] = []
    for (const name of before.names) {
      const blobId = parseLogBlobName(name)?.blobId ?? '2026010110-ins_none'
      const rollUp = new BlobRollUp(blobId)
      for await (const lines of archive.read(name, (at) => expect(at).toBeUndefined()))
        for (const { line, position } of lines) rollUp.add(line, position)
      rows.push(...rollUp.rows())
    }
    for (const tenantId of tenants) {
      const stored = (await storedRows(usage, tenantId)).flatMap(({ usage }) => usage.groups)
      const again = rows.filter((row) => row.tenantId === tenantId).flatMap(({ groups }) => groups)
      expect(stored.length).toBeGreaterThan(0)
      expect(mergeGroups(again)).toEqual(mergeGroups(stored))
    }
  })

  it('takes nothing that is not compacted, or too young', async () => {
    const young = await compacted(sample(3), ARCHIVED_AFTER_MS - HOUR)
    expect(await createKeepLog(young)()).toBe(0)
    const uncompacted = await freshUsage(TEN + HOUR)
    await writeHistories(uncompacted, sample(3), TEN)
    await createRollUp(uncompacted).run()
    uncompacted.clock.nowMs = TEN + 30 * DAY
    expect(await createKeepLog(uncompacted)()).toBe(0)
    expect(await namesIn(uncompacted, 'usage-log')).toHaveLength(3)
  })

  it('deletes no original whose copy is not the same', async () => {
    const usage = await compacted(sample(4), ARCHIVED_AFTER_MS + 2 * HOUR)
    const name = blobName(TEN, 0)
    const other = usage.storage.container(usageArchiveContainer).getBlockBlobClient(archiveNameOf(name))
    await other.upload('x', 1, { metadata: { sha256: 'another' } })
    await expect(createKeepLog(usage)()).rejects.toThrow('with another content')
    expect(await namesIn(usage, 'usage-log')).toContain(name)
  })

  it('says so when a copy is damaged, and deletes nothing', async () => {
    const { usage, before } = await archived(5)
    const [name = ''] = before.names
    const copy = usage.storage.container(usageArchiveContainer).getBlockBlobClient(archiveNameOf(name))
    const { metadata = {} } = await copy.getProperties()
    await copy.upload(await copy.downloadToBuffer(), Number((await copy.getProperties()).contentLength), {
      metadata: { ...metadata, sha256: 'f'.repeat(64) },
    })
    const reading = Array.fromAsync(createLogArchive(usage.storage).read(name, () => {}))
    await expect(reading).rejects.toThrow('damaged in the archive')
  })

  it('ends the same when it is taken by several at once, and when it is gone on with after a death', async () => {
    const usage = await compacted(sample(6), ARCHIVED_AFTER_MS + 2 * HOUR)
    const names = await namesIn(usage, 'usage-log')
    // Died behind the copy of one, before its deletion.
    const [first = ''] = names
    const original = await usage.container.getBlobClient(first).downloadToBuffer()
    await createLogArchive(usage.storage).take(first)
    const again = usage.container.getAppendBlobClient(first)
    await again.create()
    await again.appendBlock(original, original.length)
    await Promise.all([createKeepLog(usage)(), createKeepLog(usage)()])

    expect(await namesIn(usage, 'usage-log')).toEqual([])
    expect(await namesIn(usage, usageArchiveContainer)).toEqual(names.map(archiveNameOf))
  })

  it('leaves blobs of late usage where they are, so that a claim that is repeated weeks later counts no second time', async () => {
    const nowMs = Math.floor(Date.now() / HOUR) * HOUR
    const claim = { id: 'batch_x', atMs: nowMs - 14 * DAY, sequence: 0 }
    const entry = { intent: intentOf('late', { startedAt: claim.atMs }), settlement: settlementOf() }
    const usage = await freshUsage(claim.atMs + 2 * HOUR)
    const blob = usage.container.getAppendBlobClient(lateLogBlobName(claim.atMs, claim.id, claim.sequence))
    await blob.create()
    const line = Buffer.from(encodeSettled(entry.intent, entry.settlement, false))
    await blob.appendBlock(line, line.length)
    await blob.seal()
    await createRollUp(usage).run()
    usage.clock.nowMs = nowMs
    await createRollUp(usage).run()
    // As many runs as its hour takes to be compacted.
    for (let runs = 0; runs < 8; runs++) await createRollUp(usage).compact()
    expect(await createKeepLog(usage)()).toBe(1)

    expect(await namesIn(usage, usageArchiveContainer)).toEqual([
      archiveNameOf(blob.name.split('/').slice(-5).join('/')),
    ])
    expect(await namesIn(usage, 'usage-log')).toHaveLength(1)
    const lateUsage = createLateUsage({ ...usage, clock: systemClock })
    expect(await lateUsage.record(claim, [entry])).toEqual({ kind: 'recorded' })
    await lateUsage.close()
    await createRollUp(usage).run()
    const { totals } = await report(usage, 'ten_a', { from: new Date(claim.atMs).toISOString() }, settled)
    expect(totals.calls).toBe(1)
  })

  it('keeps nothing beyond its time, and does not lose the sums', async () => {
    const { usage, before } = await archived(8)
    usage.clock.nowMs = TEN + LOG_KEPT_MS + 2 * HOUR
    await createKeepLog(usage)()
    expect(await namesIn(usage, usageArchiveContainer)).toEqual([])
    expect(await allReports(usage)).toEqual(before.reports)
  })
})
