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
})
