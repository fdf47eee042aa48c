import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { admitBody } from '../../../local/host/http/body-limit'

const BYTES_MAX = 1_000
let server: Server
let read: { bytes: number; broke: boolean }[]

beforeEach(async () => {
  read = []
  server = createServer((req, res) => {
    if (!admitBody(req, res, BYTES_MAX)) return
    const seen = { bytes: 0, broke: false }
    read.push(seen)
    req.on('data', (chunk: Buffer) => (seen.bytes += chunk.byteLength))
    req.on('error', () => (seen.broke = true))
    req.on('end', () => res.end('taken'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** Sends `parts` one by one, with or without a declared length, and gives the status of the answer. */
async function send(parts: readonly number[], declared?: number): Promise<number | undefined> {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const headers = declared === undefined ? {} : { 'content-length': declared }
  const req = request({ port, host: '127.0.0.1', method: 'POST', headers })
  req.on('error', () => {})
  const answered = once(req, 'response') as Promise<[IncomingMessage]>
  for (const bytes of parts) {
    req.write(Buffer.alloc(bytes))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  req.end()
  const [answer] = await answered
  answer.resume()
  return answer.statusCode
}

describe('a request body', () => {
  it('of exactly the limit is taken, declared or not', async () => {
    expect(await send([1_000], 1_000)).toBe(200)
    expect(await send([400, 600])).toBe(200)
    expect(read.map(({ bytes }) => bytes)).toEqual([1_000, 1_000])
  })

  it('that declares one byte more never reaches the handler', async () => {
    expect(await send([1_001], 1_001)).toBe(413)
    expect(read).toEqual([])
  })

  it('of undeclared length is cut off at the limit: 413 for the client, an error for the handler', async () => {
    expect(await send([600, 600, 600])).toBe(413)
    while (!read[0]?.broke) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(read).toEqual([{ bytes: 600, broke: true }])
  })
})
