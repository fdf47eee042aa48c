import { UpstreamBody } from '../../src/azure/upstream-body'
import { UpstreamError } from '../../src/azure/upstream-error'

const nothing = () => {}
const piece = (text: string) => Buffer.from(text)
const controller = () => {
  const asked: string[] = []
  return {
    asked,
    pause: () => void asked.push('pause'),
    resume: () => void asked.push('resume'),
    abort: () => void asked.push('abort'),
    aborted: false,
    paused: false,
    reason: null,
  }
}

describe("an answer's body", () => {
  it('gives a waiting reader the pieces that come together as one', async () => {
    const body = new UpstreamBody(nothing)
    const read = body.next()
    for (const text of ['one ', 'two ', 'three']) body.push(piece(text))
    expect(String(await read)).toBe('one two three')
    body.push(piece('four'))
    expect(String(await body.next())).toBe('four')
  })

  it('gives what came before its end, then its end', async () => {
    const body = new UpstreamBody(nothing)
    const read = body.next()
    body.push(piece('last'))
    body.end()
    expect(String(await read)).toBe('last')
    expect(await body.next()).toBeUndefined()
  })

  it('gives what came before it broke off, then the failure', async () => {
    const body = new UpstreamBody(nothing)
    const read = body.next()
    body.push(piece('half'))
    body.fail(new UpstreamError('broken', 'the connection broke'))
    expect(String(await read)).toBe('half')
    await expect(body.next()).rejects.toThrow('the connection broke')
  })

  it('tells a reader that waits that the call was given up', async () => {
    const body = new UpstreamBody(nothing)
    const read = body.next()
    body.cancel('nobody wants it')
    await expect(read).rejects.toMatchObject({ kind: 'cancelled' })
  })

  it('makes the backend wait for a reader that is slower, and go on once it has read', async () => {
    const body = new UpstreamBody(nothing)
    const backend = controller()
    body.attach(backend)
    const large = Buffer.alloc(100 * 1024)
    for (let i = 0; i < 3; i++) body.push(large)
    expect(backend.asked).toEqual(['pause'])
    expect(body.isPaused).toBe(true)
    expect((await body.next())?.length).toBe(3 * large.length)
    expect(backend.asked).toEqual(['pause', 'resume'])
    expect(body.isPaused).toBe(false)
  })
})
