import fc from 'fast-check'
import { Members, type Member } from '../../src/base/members'

class Guest implements Member {
  place = -1
}

const guests = Array.from({ length: 8 }, () => new Guest())
const steps = fc.array(fc.record({ joins: fc.boolean(), who: fc.constantFrom(...guests.keys()) }), { maxLength: 60 })

describe('members', () => {
  it('are those of a set, whoever joins and leaves in whatever order', () => {
    fc.assert(
      fc.property(steps, (moves) => {
        const [members, expected] = [new Members<Guest>(), new Set<Guest>()]
        for (const { joins, who } of moves) {
          const guest = guests[who] as Guest
          if (joins && !expected.has(guest)) members.add(guest)
          if (!joins) members.delete(guest)
          if (joins) expected.add(guest)
          else expected.delete(guest)
          expect(new Set(members)).toEqual(expected)
          expect(members.size).toBe(expected.size)
        }
      }),
    )
  })

  it('may leave while they are gone through', () => {
    const members = new Members<Guest>()
    for (const guest of guests) members.add(guest)
    let met = 0
    for (const guest of members) {
      members.delete(guest)
      met += 1
    }
    expect([met, members.size]).toEqual([guests.length, 0])
  })
})
