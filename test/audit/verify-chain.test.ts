import fc from 'fast-check'
import { entryAfter, hashOf } from '../../src/audit/audit-entry'
import type { AuditEntry } from '../../src/audit/audit-log'
import { canonicalJson } from '../../src/audit/canonical-json'
import { faultsMax, verifyChain } from '../../src/audit/verify-chain'
import { chainOf, event } from './audit-fixtures'

const headOf = (entries: readonly AuditEntry[]) => {
  const { sequence, hash } = entries.at(-1) ?? { sequence: 0, hash: '' }
  return { sequence, hash }
}
const chain = chainOf(12)
const end = headOf(chain)
const faultsOf = (entries: readonly unknown[]) => verifyChain(entries, { end }).faults

/** One thing that somebody who can write to storage may do to a chain, hashes left alone or made anew. */
const tampering = fc.oneof(
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat(11) }),
  fc.record({ kind: fc.constant('swap' as const), at: fc.nat(11), other: fc.nat(11) }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(11), other: fc.nat(12) }),
  fc.record({ kind: fc.constant('cut-off' as const), at: fc.nat(11) }),
  fc.record({ kind: fc.constant('forge' as const), at: fc.nat(12) }),
  fc.record({
    kind: fc.constant('edit' as const),
    at: fc.nat(11),
    field: fc.constantFrom('at', 'action', 'target', 'outcome', 'requestId', 'previousHash', 'hash', 'added'),
    isRehashed: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('edit-inside' as const), at: fc.nat(11), isRehashed: fc.boolean() }),
)
type Tampering = typeof tampering extends fc.Arbitrary<infer T> ? T : never

function tampered(entries: readonly AuditEntry[], change: Tampering): unknown[] {
  const { at } = change
  const entry = entries[at] ?? { ...chain[0] }
  const put = (value: object, isRehashed: boolean) =>
    entries.with(at, (isRehashed ? { ...value, hash: hashOf(value) } : value) as AuditEntry)
  switch (change.kind) {
    case 'remove':
      return entries.toSpliced(at, 1)
    case 'swap':
      return entries.with(at, entries[change.other] as AuditEntry).with(change.other, entry as AuditEntry)
    case 'repeat':
      return entries.toSpliced(change.other, 0, entry as AuditEntry)
    case 'cut-off':
      return entries.slice(0, at)
    case 'forge':
      return entries.toSpliced(at, 0, entryAfter(headOf(entries.slice(0, at)), event('forged'), 0))
    case 'edit':
      return put({ ...entry, [change.field]: 'f'.repeat(64) }, change.isRehashed)
    case 'edit-inside':
      return put({ ...entry, actor: { kind: 'operator', id: 'nobody' } }, change.isRehashed)
  }
}

describe('verifying a chain', () => {
  it('finds nothing wrong with a sound one, an empty one, and one that has grown since its end was noted', () => {
    expect(verifyChain(chain, { end })).toEqual({ faults: [], entries: 12, head: end })
    expect(verifyChain([]).faults).toEqual([])
    expect(verifyChain(chain, { end, noted: headOf(chain.slice(0, 5)) }).faults).toEqual([])
  })

  it('finds any single thing that was done to it', () => {
    fc.assert(
      fc.property(tampering, (change) => {
        const result = tampered(chain, change)
        fc.pre(canonicalJson(result) !== canonicalJson(chain))
        expect(faultsOf(result).length).toBeGreaterThan(0)
      }),
      { numRuns: 2_000 },
    )
  })

  it('names an entry that was changed', () => {
    expect(faultsOf(tampered(chain, { kind: 'edit', at: 4, field: 'target', isRehashed: false }))).toEqual([
      { kind: 'changed', sequence: 5 },
    ])
  })

  it('names the entry behind one that was changed together with its hash', () => {
    expect(faultsOf(tampered(chain, { kind: 'edit', at: 4, field: 'target', isRehashed: true }))).toEqual([
      { kind: 'unlinked', sequence: 6 },
    ])
  })

  it('names what is missing, at the beginning, in the middle and at the end', () => {
    expect(faultsOf(chain.slice(2))).toEqual([{ kind: 'missing', sequence: 1, last: 2 }])
    expect(faultsOf(chain.toSpliced(3, 2))).toEqual([{ kind: 'missing', sequence: 4, last: 5 }])
    expect(faultsOf(chain.slice(0, 9))).toEqual([{ kind: 'cut-off', sequence: 10, last: 12 }])
    expect(faultsOf([])).toEqual([{ kind: 'cut-off', sequence: 1, last: 12 }])
  })

  it('names an entry that was moved, and calls none missing', () => {
    expect(faultsOf(tampered(chain, { kind: 'swap', at: 4, other: 5 }))).toEqual([{ kind: 'reordered', sequence: 5 }])
  })

  it('names an entry that was put in, or put behind the end', () => {
    expect(faultsOf(tampered(chain, { kind: 'forge', at: 12 }))).toEqual([{ kind: 'added', sequence: 13 }])
    expect(faultsOf(tampered(chain, { kind: 'repeat', at: 4, other: 5 }))).toEqual([{ kind: 'inserted', sequence: 5 }])
    expect(faultsOf(tampered(chain, { kind: 'forge', at: 5 }))).toContainEqual({ kind: 'inserted', sequence: 6 })
  })

  it('finds a chain that was written anew throughout, by an end that was noted before', () => {
    const anew: AuditEntry[] = []
    for (const { requestId } of chain)
      anew.push(
        entryAfter(headOf(anew).hash ? headOf(anew) : { sequence: 0, hash: '0'.repeat(64) }, event(requestId), 9),
      )
    expect(verifyChain(anew, { end: headOf(anew) }).faults).toEqual([])
    expect(verifyChain(anew, { end: headOf(anew), noted: headOf(chain.slice(0, 7)) }).faults).toEqual([
      { kind: 'rewritten', sequence: 7 },
    ])
  })

  it('names what is no entry by its place', () => {
    for (const value of [null, 7, 'x', {}, { sequence: '1' }, { ...chain[2], sequence: -1 }])
      expect(faultsOf(chain.with(2, value as AuditEntry))[0]).toEqual({ kind: 'malformed', position: 3 })
  })

  it('stops collecting at so many faults', () => {
    expect(verifyChain(Array.from({ length: 1_000 }, () => null)).faults).toHaveLength(faultsMax)
  })
})

describe('the canonical JSON', () => {
  it('is the same for the same value, in whatever order its keys came, and another for another value', () => {
    const shuffled = (value: unknown): unknown =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .toReversed()
              .map(([key, member]) => [key, shuffled(member)]),
          )
        : value
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const value = JSON.parse(JSON.stringify(a)) as unknown
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value))
        expect(JSON.parse(canonicalJson(value))).toEqual(value)
        if (canonicalJson(value) === canonicalJson(JSON.parse(JSON.stringify(b)))) expect(b).toEqual(a)
      }),
    )
  })

  it('is that of RFC 8785’s own example', () => {
    const value = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,1e-27],"literals":[null,true,false],"a":"\\u20ac$\\u000f"}',
    )
    expect(canonicalJson(value)).toBe(
      '{"a":"€$\\u000f","literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
    )
  })
})
