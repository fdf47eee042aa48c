import { ContainerClient } from '@azure/storage-blob'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../../src/base/clock'
import { createAppendBlobs } from '../../src/metering/append-blob'
import { handClock } from '../harness/hand-clock'

/** A server that answers as told and keeps what it was asked: Azurite takes bearer tokens over TLS only. */
async function recordingServer(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    request.resume().on('end', () => answer(request, response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/usage-log`
  return { asked, url, close: () => server.closeAllConnections() ?? server.close() }
}

function identity(validMs: number, now: () => number) {
  let tokens = 0
  return {
    getToken: () => Promise.resolve({ token: `token-${++tokens}`, expiresOnTimestamp: now() + validMs }),
  }
}

const created = (_request: IncomingMessage, response: ServerResponse) => response.writeHead(201).end()

describe('appends by an identity', () => {
  it('carry its token, the storage version and the position', async () => {
    const server = await recordingServer(created)
    const container = new ContainerClient(
      server.url,
      identity(3_600_000, () => Date.now()),
    )
    const blobs = createAppendBlobs(container, { clock: systemClock, attemptMs: 1_000 })

    expect(await blobs.append('2026/01/01/10/ins_a-000001.log', 42, Buffer.from('line\n'))).toEqual({ kind: 'written' })
    await blobs.close()
    server.close()

    expect(server.asked[0]?.url).toBe('/usage-log/2026/01/01/10/ins_a-000001.log?comp=appendblock')
    expect(server.asked[0]?.headers).toMatchObject({
      authorization: 'Bearer token-1',
      'x-ms-version': '2024-11-04',
      'x-ms-blob-condition-appendpos': '42',
      'content-length': '5',
    })
  })

  it('take a new token before the old one ends, and after a refusal', async () => {
    const clock = handClock()
    let refuse = false
    const server = await recordingServer((_request, response) => response.writeHead(refuse ? 401 : 201).end())
    const container = new ContainerClient(server.url, identity(3_600_000, clock.now))
    const blobs = createAppendBlobs(container, { clock, attemptMs: 1_000 })
    const append = () => blobs.append('a.log', 0, Buffer.from('\n'))

    await append()
    await append()
    await clock.advance(3_000_000)
    await append()
    refuse = true
    expect((await append()).kind).toBe('unclear')
    refuse = false
    await append()
    await blobs.close()
    server.close()

    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(
      [1, 1, 2, 2, 3].map((n) => `Bearer token-${n}`),
    )
  })

  it('are unclear, not failed, when no token can be had', async () => {
    const container = new ContainerClient('http://127.0.0.1:9/usage-log', {
      getToken: () => Promise.reject(new Error('the identity endpoint does not answer')),
    })
    const blobs = createAppendBlobs(container, { clock: systemClock, attemptMs: 1_000 })

    expect(await blobs.append('a.log', 0, Buffer.from('\n'))).toMatchObject({ kind: 'unclear' })
    await blobs.close()
  })
})
