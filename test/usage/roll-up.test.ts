import fc from 'fast-check'
import type { LogBlobId } from '../../src/metering/log-blob-name'
import type { LogLine } from '../../src/metering/log-line'
import { mergeGroups } from '../../src/usage/merge-groups'
import { BlobRollUp, rollUp, type UsageRow } from '../../src/usage/roll-up'
import { minuteColumns, minuteRowKey } from '../../src/usage/usage-rows'
import { groupFields, groupKey, zeroSums } from '../../src/usage/usage-sums'
import { intentOf, settlementOf } from '../metering/records'
import { bruteForce, histories, linesOfCall, type History } from './histories'

const BLOB: LogBlobId = '2026010110-ins_test-000001'
const anyHistories = histories({ startMs: Date.UTC(2026, 0, 1, 10), spanMinutes: 4, blobs: 3, callsMax: 60 })

/** Rows as what they say, whatever position they depend on. */
const contentOf = (rows: readonly UsageRow[]) =>
  rows
    .filter(({ groups }) => groups.length > 0)
    .map((row) => ({ key: `${row.tenantId} ${minuteRowKey(row)}`, groups: row.groups }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))

const sumsOf = (rows: readonly UsageRow[]) =>
  new Map(mergeGroups(rows.flatMap(({ groups }) => groups)).map(({ group, sums }) => [groupKey(group), sums]))

const trueSums = (calls: readonly History[]) => {
  const sums = bruteForce(calls, { by: groupFields, startOf: () => undefined })
  return new Map([...sums].map(([key, value]) => [JSON.stringify(JSON.parse(key).slice(1)), value]))
}

/** Of Azure Table Storage, where text has two bytes a character; some are left for keys and names. */
const ENTITY_BYTES_MAX = 1_000_000
const entityBytes = (columns: Record<string, unknown>) =>
  Object.values(columns).reduce<number>(
    (sum, value) => sum + (value instanceof Uint8Array ? value.length : 2 * String(value).length),
    0,
  )

describe('the roll-up of a blob', () => {
  it('adds up over any split of the calls over blobs to what the calls are', () => {
    fc.assert(
      fc.property(anyHistories, (calls) => {
        const rows = [0, 1, 2].flatMap((blob) =>
          rollUp(BLOB, calls.filter((call) => call.blob === blob).flatMap(linesOfCall)),
        )
        expect(sumsOf(rows)).toEqual(trueSums(calls))
      }),
    )
  })

  it('is the same however often lines are repeated and in whatever order they come', () => {
    const shuffled = anyHistories.chain((calls) => {
      const lines = calls.flatMap(linesOfCall)
      return fc
        .record({
          repeated: fc.shuffledSubarray(lines),
          order: fc.array(fc.double({ noNaN: true }), { minLength: lines.length * 2, maxLength: lines.length * 2 }),
        })
        .map(({ repeated, order }) => {
          const all = [...lines, ...repeated].map((line, i) => ({ line, at: order[i] ?? 0 }))
          return { lines, shuffled: all.sort((a, b) => a.at - b.at).map(({ line }) => line) }
        })
    })
    fc.assert(
      fc.property(shuffled, ({ lines, shuffled }) => {
        expect(contentOf(rollUp(BLOB, shuffled))).toEqual(contentOf(rollUp(BLOB, lines)))
      }),
    )
  })

  it('replaces rows of a shorter piece by those of a longer one, and leaves out only rows that did not change', () => {
    fc.assert(
      fc.property(anyHistories, fc.array(fc.nat(20), { maxLength: 10 }), (calls, pieces) => {
        const lines = calls.flatMap(linesOfCall)
        const reading = new BlobRollUp(BLOB)
        const stored = new Map<string, UsageRow>()
        let read = 0
        for (const piece of [...pieces, lines.length]) {
          const before = read
          for (const line of lines.slice(read, read + piece)) reading.add(line, ++read)
          for (const row of reading.rowsBeyond(before)) stored.set(`${row.tenantId} ${minuteRowKey(row)}`, row)
        }
        const byKey = (a: UsageRow, b: UsageRow) =>
          a.tenantId + minuteRowKey(a) < b.tenantId + minuteRowKey(b) ? -1 : 1
        expect([...stored.values()].sort(byKey)).toEqual(rollUp(BLOB, lines).sort(byKey))
      }),
    )
  })

  it('takes one unsettled call off where the intent lies in another blob', () => {
    const intent = intentOf(1)
    const lost = rollUp('2026010110-ins_test-000001', [{ kind: 'intent', intent }])
    const found = rollUp('2026010110-ins_test-000002', [
      { kind: 'settled', intent, settlement: settlementOf(), intentElsewhere: true },
    ])

    const total = zeroSums()
    for (const { groups } of [...lost, ...found]) {
      for (const { sums } of groups) {
        total.calls += sums.calls
        total.unsettled += sums.unsettled
      }
    }
    expect([total.calls, total.unsettled]).toEqual([1, 0])
  })

  it('tells calls apart whose texts run together to the same, and counts one that another model served as that model’s', () => {
    const settled = (
      n: number,
      alias: string,
      model: string,
      servedAs?: { alias: string; model: string },
    ): LogLine[] => {
      const intent = intentOf(n, { alias, model })
      const settlement = settlementOf(servedAs ? { servedAs } : {})
      return [
        { kind: 'intent', intent },
        { kind: 'settled', intent, settlement, intentElsewhere: false },
      ]
    }
    const rows = rollUp(BLOB, [
      ...settled(1, 'ab', 'c'),
      ...settled(2, 'a', 'bc'),
      ...settled(3, 'a', 'bc', { alias: 'ab', model: 'c' }),
      ...settled(4, 'a 1', '2 b'),
      ...settled(5, 'a', '1 2 b'),
    ])

    const counted = rows
      .flatMap(({ groups }) => groups)
      .map(({ group, sums }) => [group.alias, group.model, sums.calls])
    expect(counted).toEqual([
      ['a 1', '2 b', 1],
      ['a', '1 2 b', 1],
      ['a', 'bc', 1],
      ['ab', 'c', 2],
    ])
  })

  it('spreads very many groups over parts that each fit a row, the same parts however the blob is read', () => {
    const lines: LogLine[] = Array.from({ length: 4_000 }, (_, i) => ({
      kind: 'settled',
      intent: intentOf(i, { alias: `alias-${i}-${'"'.repeat(100)}` }),
      settlement: settlementOf(),
      intentElsewhere: false,
    }))
    const rows = rollUp(BLOB, lines)
    const half = rollUp(BLOB, lines.slice(0, 2_000))

    expect(rows.length).toBeGreaterThan(2)
    for (const row of rows) {
      expect(entityBytes(minuteColumns(row))).toBeLessThan(ENTITY_BYTES_MAX)
    }
    expect(sumsOf(rows).size).toBe(4_000)
    expect(half[0]?.groups).toEqual(rows[0]?.groups)
  })
})
