import { createServer, type AddressInfo, type Socket } from 'node:net'

/** A model backend that answers with bytes of any kind: no HTTP library stands between its tests and the platform. */
export interface RawBackend {
  /** By which a backend of that name is reached: its calls get the answers that are told for it. */
  endpointOf(name: string): string
  /** How often a name was called. */
  callsOf(name: string): number
  close(): Promise<void>
}

export interface RawCall {
  readonly method: string
  /** Behind the backend's endpoint. */
  readonly path: string
}

/** Writes an answer; the connection is closed when it has, unless it says otherwise. */
export type RawAnswer = (socket: Socket, call: RawCall) => void | 'stays open' | Promise<void | 'stays open'>

const END_OF_HEAD = '\r\n\r\n'

export async function rawBackend(answers: ReadonlyMap<string, RawAnswer>): Promise<RawBackend> {
  const calls = new Map<string, number>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // The platform may hang up in the midst of what is told here.
    socket.on('error', () => {})
    let held = Buffer.alloc(0)
    socket.on('data', (piece) => {
      held = Buffer.concat([held, piece])
      const request = requestIn(held)
      if (!request) return
      held = held.subarray(request.bytes)
      const [, name = '', path = ''] = /^\/([^/]+)(\/.*)$/.exec(request.target) ?? []
      calls.set(name, (calls.get(name) ?? 0) + 1)
      const answer = answers.get(name)
      if (!answer) throw new Error(`nothing is told for ${request.target}`)
      void Promise.resolve(answer(socket, { method: request.method, path })).then((after) => {
        if (after !== 'stays open') socket.end()
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    endpointOf: (name) => `http://127.0.0.1:${port}/${name}`,
    callsOf: (name) => calls.get(name) ?? 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

/** A whole request at the beginning of some bytes, as the platform sends them: with its length, or without a body. */
function requestIn(bytes: Buffer): { method: string; target: string; bytes: number } | undefined {
  const end = bytes.indexOf(END_OF_HEAD)
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const [, method = '', target = ''] = /^(\S+) (\S+) /.exec(head) ?? []
  const length = end + END_OF_HEAD.length + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  return bytes.length < length ? undefined : { method, target, bytes: length }
}

/** A whole answer with its true length. */
export const answerOf = (status: string, type: string, body: string | Buffer, more = '') =>
  Buffer.concat([
    Buffer.from(
      `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\n${more}content-length: ${Buffer.byteLength(body)}\r\n\r\n`,
      'latin1',
    ),
    Buffer.from(body),
  ])

export const bytes =
  (...pieces: readonly (string | Buffer)[]): RawAnswer =>
  (socket) => {
    for (const piece of pieces) socket.write(piece)
  }

export const ofStatus = (status: string, type: string, body: string, more?: string) =>
  bytes(answerOf(status, type, body, more))

/** Events without a length, which end where the connection does. */
export const streamOf = (...pieces: readonly (string | Buffer)[]) =>
  bytes('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n', ...pieces)

/** More of the same until so many bytes are out or the platform has hung up; what it took of them is told. */
export function endless(piece: Buffer, bytesMax: number, onEnd: (taken: number) => void): RawAnswer {
  return async (socket) => {
    for (let sent = 0; sent < bytesMax && socket.writable; sent += piece.length) {
      if (!socket.write(piece)) await drained(socket)
    }
    onEnd(socket.bytesWritten - socket.writableLength)
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
  })
}

export const after =
  (first: RawAnswer, next: RawAnswer): RawAnswer =>
  async (socket, call) => {
    await first(socket, call)
    return next(socket, call)
  }
