import fc from 'fast-check'
import type { InstanceId, KeyId } from '../../src/base/ids'
import { HOLDERS_MAX, OWN_LEASES_MAX, OWN_SECTIONS_MAX } from '../../src/limits/renew-window'
import { decodeWindow, encodeWindow } from '../../src/limits/window-codec'
import { minuteWindow, type Section, type SectionId, type WindowState } from '../../src/limits/window-state'

const ROW_BYTES_MAX = 48 * 1_024
const count = fc.oneof(fc.nat(200), fc.maxSafeNat())
const id = fc.stringMatching(/^[0-9a-z]{1,26}$/)

const windows: fc.Arbitrary<WindowState> = fc
  .record({
    bornMs: count,
    asOfMs: count,
    holders: fc.uniqueArray(fc.record({ id, sequence: count, expiresAtMs: count }), {
      selector: (holder) => holder.id,
      maxLength: 5,
    }),
    sections: fc.uniqueArray(
      fc.record({
        id,
        spent: fc.uniqueArray(fc.record({ cell: fc.nat(2 ** 31), requests: count, tokens: count }), {
          selector: ({ cell }) => cell,
          maxLength: 70,
        }),
        leases: fc.array(fc.record({ requests: count, tokens: count, slots: count }), { maxLength: 5 }),
      }),
      { selector: (section) => section.id, maxLength: 4 },
    ),
  })
  .map(({ bornMs, asOfMs, holders, sections }) => {
    const ids = holders.map((holder): InstanceId => `ins_${holder.id}`)
    return {
      bornMs,
      asOfMs,
      holders: new Map(holders.map(({ sequence, expiresAtMs }, i) => [ids[i] ?? 'ins_', { sequence, expiresAtMs }])),
      sections: new Map(
        sections.map(({ id, spent, leases }): [SectionId, Section] => [
          `key_${id}`,
          {
            spent: spent.sort((a, b) => a.cell - b.cell),
            leases: new Map(ids.flatMap((holder, i) => (leases[i] ? [[holder, leases[i]]] : []))),
          },
        ]),
      ),
    }
  })

/** Every bound reached at once, with numbers far above any tier's limits. */
function fullestWindow(): WindowState {
  const nowMs = Date.UTC(2100, 0, 1)
  const cells = (minuteWindow.windowMs + minuteWindow.skewMsMax) / minuteWindow.cellMs + 1
  const spent = Array.from({ length: Math.ceil(cells) }, (_, i) => ({
    cell: Math.floor(nowMs / minuteWindow.cellMs) - 61 + i,
    requests: 10_000,
    tokens: 100_000_000,
  }))
  const instances = Array.from({ length: HOLDERS_MAX }, (_, i): InstanceId => `ins_${String(i).padStart(26, '0')}`)
  const lease = { requests: 100_000, tokens: 200_000_000, slots: 10_000 }
  const leasesOf = (holders: readonly InstanceId[]) => new Map(holders.map((holder) => [holder, lease]))
  const keyLeases = instances.slice(0, OWN_LEASES_MAX / OWN_SECTIONS_MAX)
  const keys = Array.from({ length: OWN_SECTIONS_MAX }, (_, i): KeyId => `key_${String(i).padStart(26, '0')}`)
  return {
    bornMs: nowMs,
    asOfMs: nowMs,
    holders: new Map(instances.map((instance) => [instance, { sequence: nowMs, expiresAtMs: nowMs }])),
    sections: new Map<SectionId, Section>([
      ['tenant', { spent, leases: leasesOf(instances) }],
      ...keys.map((key): [SectionId, Section] => [key, { spent, leases: leasesOf(keyLeases) }]),
    ]),
  }
}

describe('a packed window', () => {
  it('reads back as what was written', () => {
    fc.assert(fc.property(windows, (state) => expect(decodeWindow(encodeWindow(state))).toEqual(state)))
  })

  it('stays under 48 KB with every bound reached at once', () => {
    const bytes = encodeWindow(fullestWindow())
    expect(bytes.length).toBeLessThan(ROW_BYTES_MAX)
    expect(bytes.length).toBeGreaterThan(ROW_BYTES_MAX / 2)
  })

  it('refuses bytes that end early and versions it does not know, rather than reading an empty window', () => {
    const bytes = encodeWindow(fullestWindow())
    expect(() => decodeWindow(bytes.slice(0, -1))).toThrow('ends early')
    expect(() => decodeWindow(new Uint8Array())).toThrow('ends early')
    expect(() => decodeWindow(Uint8Array.of(9, ...bytes.slice(1)))).toThrow('version 9')
  })

  it('refuses to write a number that is no count', () => {
    const state = fullestWindow()
    expect(() => encodeWindow({ ...state, asOfMs: -1 })).toThrow('not a count')
    expect(() => encodeWindow({ ...state, asOfMs: 0.5 })).toThrow('not a count')
  })
})
