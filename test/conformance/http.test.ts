import net from 'node:net'
import { eventually } from './eventually'
import { itLocally, type RunningHost, startHost } from './start-host'

let host: RunningHost
beforeAll(async () => {
  host = await startHost()
})
afterAll(() => host.stop())

const call = (path: string, init?: RequestInit) => fetch(`${host.baseUrl}${path}`, init)
const jsonOf = async (path: string, init?: RequestInit) => (await call(path, init)).json()

describe('an HTTP function', () => {
  it('gets method, query, headers and body as they were sent', async () => {
    const answer = await jsonOf('/api/echo?a=1&b=%20x', {
      method: 'POST',
      body: 'grüße',
      headers: { 'x-probe': 'seen' },
    })

    expect(answer).toMatchObject({ method: 'POST', query: { a: '1', b: ' x' }, header: 'seen', body: 'grüße' })
  })

  it('is found whatever the case of its path, and not by another method', async () => {
    expect((await call('/API/Plain')).status).toBe(200)
    expect((await call('/api/plain', { method: 'DELETE' })).status).toBe(404)
    expect((await call('/api/unknown')).status).toBe(404)
  })

  it.each([
    ['items/special', { name: 'itemLiteral', params: {} }],
    ['items/12', { name: 'itemNumber', params: { id: '12' } }],
    ['items/twelve', { name: 'itemPlain', params: { name: 'twelve' } }],
    ['items/a/b/c', { name: 'itemRest', params: { rest: 'a/b/c' } }],
    ['optional/x', { name: 'optional', params: { first: 'x' } }],
    ['optional/x/y%20z', { name: 'optional', params: { first: 'x', second: 'y z' } }],
  ])('route %s goes to the most particular function', async (path, expected) => {
    expect(await jsonOf(`/api/${path}`)).toEqual(expected)
  })

  itLocally('that throws is answered with 500, and the next call is served', async () => {
    expect((await call('/api/throws')).status).toBe(500)
    expect((await call('/api/plain')).status).toBe(200)
  })

  it('can set several cookies', async () => {
    const answer = await call('/api/cookies')

    expect(answer.status).toBe(201)
    expect(answer.headers.getSetCookie()).toHaveLength(2)
  })

  it('passes through the hooks around its invocation', async () => {
    expect(await jsonOf('/api/hooked')).toEqual({ starts: 1, before: true, after: true })
  })
})

describe('a streamed answer', () => {
  it('arrives part by part, not at its end', async () => {
    const reader = (await call('/api/held')).body?.getReader()
    const next = async () => Buffer.from((await reader?.read())?.value ?? []).toString()

    expect(await next()).toBe('first')
    await call('/api/release')
    expect(await next()).toBe('second')
  })

  it('whose reader leaves half-way does no harm to the host, and its source is read to the end', async () => {
    const endedBefore = ((await jsonOf('/api/streamsEnded')) as { streamsEnded: number }).streamsEnded
    const leaving = new AbortController()
    const answer = await call('/api/events?count=40&pauseMs=10', { signal: leaving.signal })
    await answer.body?.getReader().read()
    leaving.abort()

    await eventually('the source of the stream is drained', async () => {
      const { streamsEnded } = (await jsonOf('/api/streamsEnded')) as { streamsEnded: number }
      return streamsEnded > endedBefore ? true : undefined
    })
    expect((await call('/api/plain')).status).toBe(200)
  })
})

describe('a request body', () => {
  it('of several megabytes arrives whole, in chunks of undeclared length', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (let i = 0; i < 48; i++) controller.enqueue(chunk)
        controller.close()
      },
    })
    const init = { method: 'POST', body, duplex: 'half' }

    expect(await jsonOf('/api/count', init as RequestInit)).toEqual({ bytes: 48 * 64 * 1024 })
  })

  it('whose declared length is over 100 MB is refused with 413', async () => {
    const head = ['POST /api/count HTTP/1.1', 'Host: localhost', 'Content-Length: 104857601', '', ''].join('\r\n')

    expect(await statusLineOf(head)).toMatch(/^HTTP\/1\.1 413/)
  })
})

/** The first line that comes back for bytes sent as they are. */
function statusLineOf(head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(new URL(host.baseUrl).port), '127.0.0.1', () => socket.write(head))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString().split('\r\n', 1)[0] ?? '')
    })
    socket.once('error', reject)
  })
}
