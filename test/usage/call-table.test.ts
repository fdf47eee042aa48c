import fc from 'fast-check'
import type { CallId } from '../../src/base/ids'
import { CallTable, NEW_CALL, NO_CALL } from '../../src/usage/call-table'

const crockford = fc.constantFrom(...Array.from('0123456789abcdefghjkmnpqrstvwxyz'))
/** As they are made; near ones, which differ in a character; and what a foreign or a damaged line may have in their place. */
const anyId = fc.oneof(
  fc.string({ unit: crockford, minLength: 26, maxLength: 26 }).map((body) => `call_${body}`),
  fc.nat(300).map((n) => `call_${String(n).padStart(26, '0')}`),
  fc.nat(300).map((n) => `tool_${String(n).padStart(26, '0')}`),
  fc.constantFrom('', 'call_', 'call_\0', 'call_\0\0', 'call_a', 'call_a\0', 'call_é', `call_${'a'.repeat(28)}`),
  fc.string({ maxLength: 40 }).map((body) => `call_${body}`),
) as fc.Arbitrary<CallId>

/** Numbers in the order of first appearance, by a map. */
function numbered(ids: readonly CallId[]): number[] {
  const numbers = new Map<CallId, number>()
  return ids.map((id) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size)
    return numbers.get(id) ?? NaN
  })
}

describe('a table of calls', () => {
  it('takes two ids for one call exactly where they are equal, whatever is in them, also when it is used again', () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyId, { maxLength: 100 }), { minLength: 1, maxLength: 3 }), (blobs) => {
        const table = new CallTable()
        for (const ids of blobs) {
          expect(ids.map((id) => table.numberOf(id))).toEqual(numbered(ids))
          table.clear()
        }
      }),
    )
  })

  it('keeps the state of each call and what is kept of it while it grows to several times its size', () => {
    const table = new CallTable()
    const ids = Array.from({ length: 8_000 }, (_, n): CallId =>
      n % 100 === 0 ? `call_not-of-our-making-${n}-${'x'.repeat(20)}` : `call_${String(n).padStart(26, '0')}`,
    )
    const last = [NO_CALL, NO_CALL, NO_CALL]
    for (const [n, id] of ids.entries()) {
      const call = table.numberOf(id)
      if (table.stateOf(call) !== NEW_CALL) throw new Error(`${id} is taken for another call`)
      table.setState(call, n * 3)
      table.link(call, n, last[n % 3] ?? NO_CALL)
      last[n % 3] = call
    }

    expect(ids.map((id) => table.stateOf(table.numberOf(id)))).toEqual(ids.map((_, n) => n * 3))
    for (const [chain, first] of last.entries()) {
      const values = ids.flatMap((_, n) => (n % 3 === chain ? [n] : []))
      expect([...table.valuesFrom(first)]).toEqual(values.toReversed())
    }
  })

  it('knows nothing of what it held before it was cleared', () => {
    const table = new CallTable()
    const ids = Array.from({ length: 5_000 }, (_, n): CallId => `call_${n}`)
    for (const id of ids) table.setState(table.numberOf(id), 1)
    table.clear()

    expect(ids.filter((id) => table.stateOf(table.numberOf(id)) !== NEW_CALL)).toEqual([])
  })
})
