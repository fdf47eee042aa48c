import { LeanRequest } from '../../src/http/lean-request'

const bytes = (text: string) => new TextEncoder().encode(text)

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(bytes(text))
}

const post = (body: AsyncIterable<Uint8Array> = chunks('{"a":', '1}')) =>
  new LeanRequest('http://localhost/openai/v1/models?x=1', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'X-Mixed': 'kept' },
    body,
    duplex: 'half',
  })

describe('the stand-in for fetch’s request', () => {
  it('gives url, method, headers in any case, and the whole body', async () => {
    const request = post()
    expect(request.url).toBe('http://localhost/openai/v1/models?x=1')
    expect(request.method).toBe('POST')
    expect(request.headers.get('content-type')).toBe('application/json')
    expect(request.headers.get('Content-Type')).toBe('application/json')
    expect(request.headers.get('x-mixed')).toBe('kept')
    expect(request.headers.get('authorization')).toBeNull()
    expect(request.headers.has('X-MIXED')).toBe(true)
    expect(Buffer.from(await request.arrayBuffer()).toString()).toBe('{"a":1}')
  })

  it('lists headers as fetch does', () => {
    expect([...post().headers]).toEqual([
      ['content-type', 'application/json'],
      ['x-mixed', 'kept'],
    ])
  })

  it('reads a body once, like fetch', async () => {
    const request = post()
    expect(request.bodyUsed).toBe(false)
    await request.arrayBuffer()
    expect(request.bodyUsed).toBe(true)
    await expect(request.arrayBuffer()).rejects.toThrow(TypeError)
    expect(() => request.body).toThrow(TypeError)
  })

  it('leaves everything else to a real request', async () => {
    expect(await post().json()).toEqual({ a: 1 })
    expect(await post().text()).toBe('{"a":1}')
    const request = post()
    const read: string[] = []
    for await (const chunk of request.body as AsyncIterable<Uint8Array>) read.push(Buffer.from(chunk).toString())
    expect(read.join('')).toBe('{"a":1}')
    expect(request.bodyUsed).toBe(true)
  })

  it('rejects when the client broke off, and has no body where there is none', async () => {
    async function* cut(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(bytes('{"a'))
      throw new Error('cut off')
    }
    await expect(post(cut()).arrayBuffer()).rejects.toThrow('cut off')
    const get = new LeanRequest('http://localhost/', { method: 'GET' })
    expect((await get.arrayBuffer()).byteLength).toBe(0)
    expect(get.body).toBeNull()
  })
})
