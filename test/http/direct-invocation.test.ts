import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { directHttp, type DirectAnswer, type DirectHandler, type DirectRequest } from '../../src/http/direct-http'
import { directInvocation } from '../../src/http/direct-invocation'

/** The library's part: its server keeps what it has taken by the invocations, and the worker asks step by step. */
const requests: Record<string, IncomingMessage> = {}
const responses: Record<string, ServerResponse> = {}
let arrived = Promise.withResolvers<IncomingMessage>()
const proxy = { requests, responses, waitForProxyRequest: () => arrived.promise }
const answer: DirectAnswer = { status: 200, headers: { 'x-of': 'ours' }, body: 'héllo' }

let server: Server
let port: number
beforeAll(async () => {
  server = createServer((req, res) => {
    const id = String(req.headers['x-ms-invocation-id'])
    requests[id] = req
    responses[id] = res
    arrived.resolve(req)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => new Promise((closed) => server.close(closed)))
beforeEach(() => {
  arrived = Promise.withResolvers()
  directHttp({ http: () => {} }, 'direct', { handler: async () => answer })
})

const invocation = (invocationId: string) => ({
  invocationId,
  metadata: { name: 'direct' },
  request: {
    triggerMetadata: { Headers: { json: '{}' }, path: { string: 'v1/models' } },
    traceContext: { traceParent: '00-of-the-host' },
  },
})

function post(invocationId: string, body: string) {
  const headers = { 'x-ms-invocation-id': invocationId, 'x-asked': 'this' }
  const sent = request({ port, method: 'POST', path: '/openai/v1/models?x=1', headers })
  sent.end(body)
  return once(sent, 'response').then(([response]) => response as IncomingMessage)
}

async function run(invocationId: string, handler: DirectHandler) {
  const model = directInvocation(invocation(invocationId), proxy)
  if (!model) throw new Error('the function was registered as a direct one')
  const { context, inputs } = await model.getArguments()
  return model.getResponse(context, await model.invokeFunction(context, inputs, handler))
}

describe('a direct invocation', () => {
  it('is made of functions that were registered so, and of no others', () => {
    expect(directInvocation({ ...invocation('a'), metadata: { name: 'another' } }, proxy)).toBeUndefined()
  })

  it('shows the request as it was sent, and writes the answer as it is', async () => {
    const sent = post('whole', '{"a":1}')
    await arrived.promise
    let seen: DirectRequest | undefined
    let body = ''
    await run('whole', async (asked) => {
      seen = asked
      body = (await asked.readAll()).toString()
      return answer
    })
    const response = await sent
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({ 'x-of': 'ours', 'content-length': '6', 'x-ms-invocation-id': 'whole' })
    expect(await text(response)).toBe('héllo')
    expect(body).toBe('{"a":1}')
    const { method, target, params, traceParent, invocationId, headers } = seen as DirectRequest
    expect({ method, target, params, traceParent, invocationId }).toEqual({
      method: 'POST',
      target: '/openai/v1/models?x=1',
      params: { path: 'v1/models' },
      traceParent: '00-of-the-host',
      invocationId: 'whole',
    })
    expect([headers.get('x-asked'), headers.get('X-Asked'), headers.get('authorization')]).toEqual([
      'this',
      'this',
      null,
    ])
    expect([requests, responses]).toEqual([{}, {}])
  })

  it('waits for a request that comes behind its message', async () => {
    const ended = run('late', async () => answer)
    const response = await post('late', '')
    expect(await text(response)).toBe('héllo')
    await ended
  })

  it('writes a body piece by piece as it is made, and breaks off with it', async () => {
    async function* pieces(breaks: boolean): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one ')
      if (breaks) throw new Error('the upstream broke off')
      yield Buffer.from('two')
    }
    const whole = post('stream', '')
    await arrived.promise
    await run('stream', async () => ({ ...answer, body: pieces(false) }))
    const response = await whole
    expect(response.headers['transfer-encoding']).toBe('chunked')
    expect(await text(response)).toBe('one two')

    arrived = Promise.withResolvers()
    const broken = post('broken', '').then(text)
    await arrived.promise
    const open = responses['broken']
    await expect(run('broken', async () => ({ ...answer, body: pieces(true) }))).rejects.toThrow('broke off')
    // What the host does then.
    open?.destroy()
    await expect(broken).rejects.toThrow()
  })

  it('answers with a status alone where the host says so, and only once', async () => {
    const sent = post('failed', '')
    await arrived.promise
    const model = directInvocation(invocation('failed'), proxy)
    const context = { invocationId: 'failed', functionName: 'direct' }
    await model?.getResponse(context, { status: 500 })
    expect((await sent).statusCode).toBe(500)
    await expect(model?.getResponse(context, { status: 500 })).rejects.toThrow('has been answered')
  })

  it('tells of a client that goes: while it sends, and while it waits', async () => {
    const socket = connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: a\r\nx-ms-invocation-id: gone\r\ncontent-length: 10\r\n\r\nhalf')
    await arrived.promise
    const model = directInvocation(invocation('gone'), proxy)
    const [asked] = (await model?.getArguments())?.inputs ?? []
    const left = once(asked?.client.signal as AbortSignal, 'abort')
    const read = asked?.readAll()
    socket.destroy()
    await expect(read).rejects.toThrow()
    await left
    expect(asked?.client.hasGone).toBe(true)
    delete responses['gone']
  })
})
