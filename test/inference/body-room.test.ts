import { createBodyRoom } from '../../src/inference/body-room'

describe('the room for bodies', () => {
  it('is never overdrawn, and a refusal takes nothing', () => {
    const room = createBodyRoom(100)
    const [a, b] = [room.open(), room.open()]
    expect([a.take(60), b.take(50), b.take(40), a.take(1)]).toEqual([true, false, true, false])
  })

  it('comes back once when a share is released, however often', () => {
    const room = createBodyRoom(100)
    const [a, b] = [room.open(), room.open()]
    a.take(60)
    a.release()
    a.release()
    expect([b.take(100), b.take(1)]).toEqual([true, false])
  })

  it('is not taken by a body that goes on coming after it was given up', () => {
    const room = createBodyRoom(100)
    const [late, other] = [room.open(), room.open()]
    late.take(60)
    late.release()
    expect([late.take(1), other.take(100)]).toEqual([false, true])
  })
})
