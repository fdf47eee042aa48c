import fc from 'fast-check'
import { placeTenant } from '../../src/stamps/place-tenant'
import type { Stamp } from '../../src/stamps/stamp'

const tenantId = 'ten_00000000000000000000000001'
const stamp = (id: string, more: Partial<Stamp> = {}): Stamp => ({
  id: `stm_${id}`,
  name: id,
  region: 'swedencentral',
  resourceGroupId: '/subscriptions/s/resourceGroups/g',
  modelAccountIds: [],
  acceptsTenants: true,
  reservedFor: null,
  ...more,
})
const place = (stamps: Stamp[], counts: Record<string, number> = {}) =>
  placeTenant(stamps, { region: 'swedencentral', tenantId, tenantsOn: ({ name }) => counts[name] ?? 0 })?.name

describe('a tenant is placed', () => {
  it('on its own stamp before any other, however full', () => {
    expect(place([stamp('a'), stamp('b', { reservedFor: tenantId })], { b: 9 })).toBe('b')
  })

  it('on the stamp with the fewest tenants, of equals on the oldest', () => {
    expect(place([stamp('a'), stamp('b'), stamp('c')], { a: 2, b: 1, c: 1 })).toBe('b')
  })

  it('nowhere but in its region, on an open stamp that is nobody else’s', () => {
    const reservedFor = 'ten_00000000000000000000000002'
    const none = [
      stamp('a', { region: 'westeurope' }),
      stamp('b', { acceptsTenants: false }),
      stamp('c', { reservedFor }),
    ]
    expect(place(none)).toBeUndefined()
  })

  it('on the same stamp in whatever order the stamps are given', () => {
    const stamps = [stamp('a'), stamp('b'), stamp('c'), stamp('d', { acceptsTenants: false })]
    fc.assert(
      fc.property(
        fc.shuffledSubarray(stamps, { minLength: 4 }),
        fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
        (shuffled, [a, b, c]) => {
          const counts = { a: a ?? 0, b: b ?? 0, c: c ?? 0 }
          expect(place(shuffled, counts)).toBe(place(stamps, counts))
        },
      ),
    )
  })
})
