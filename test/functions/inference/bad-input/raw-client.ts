import { connect, type Socket } from 'node:net'

/** An answer as it came, to a client that writes what it likes: libraries refuse to send what is sent here. */
export interface RawReply {
  /** 0 where the connection ended without an answer. */
  readonly status: number
  /** In lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** The body as it came. */
  readonly text: string
  /** All that came, heads included. */
  readonly whole: string
}

export interface RawSender {
  /** Resolves when the connection has taken the bytes, or is gone. */
  write(bytes: string | Buffer): Promise<void>
  /** Sends no more, and goes on reading. */
  end(): void
}

interface RawOptions {
  /** Takes nothing of an answer before all is sent, as simple clients do. */
  readonly readsLater?: boolean
  /** How many answers come on the connection; the last is the reply. */
  readonly answers?: number
}

const ANSWER_MS_MAX = 120_000
const MB = 1024 * 1024
const BLANKS = Buffer.alloc(MB, ' ')

/** `send` writes what it likes; what is answered is read to the end of its length, or of the connection. */
export function rawCall(
  baseUrl: string,
  send: (sender: RawSender) => void | Promise<void>,
  { readsLater = false, answers = 1 }: RawOptions = {},
): Promise<RawReply> {
  const { hostname, port } = new URL(baseUrl)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    let held = Buffer.alloc(0)
    const over = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ ...(repliesIn(held).at(-1) ?? { status: 0, headers: new Map(), text: '' }), whole: held.toString() })
    }
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no whole answer within ${ANSWER_MS_MAX / 1_000} s; so far: ${held.toString('latin1', 0, 500)}`))
    }, ANSWER_MS_MAX)
    socket.on('data', (piece) => {
      held = Buffer.concat([held, piece])
      if (repliesIn(held).length >= answers) over()
    })
    socket.on('end', over)
    socket.on('error', over)
    if (readsLater) socket.pause()
    const sender: RawSender = { write: (bytes) => written(socket, bytes), end: () => socket.end() }
    Promise.resolve(send(sender)).then(() => socket.resume(), reject)
  })
}

/** A request of a few lines: its head in Latin-1, as HTTP has it. */
export const rawRequest = (baseUrl: string, lines: readonly string[], body: string | Buffer = '') =>
  rawCall(baseUrl, ({ write }) =>
    write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)])),
  )

/** Blanks in chunks of 1 MB; JSON and files may have any number. */
export async function writeBlanks({ write }: RawSender, megabytes: number): Promise<void> {
  for (let n = 0; n < megabytes; n++) {
    await write(`${MB.toString(16)}\r\n`)
    await write(BLANKS)
    await write('\r\n')
  }
}

function written(socket: Socket, bytes: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (!socket.writable) return resolve()
    const done = () => {
      socket.off('close', done)
      resolve()
    }
    socket.on('close', done)
    socket.write(bytes, done)
  })
}

const END_OF_HEAD = '\r\n\r\n'
const END_OF_CHUNKS = '0\r\n\r\n'

/** The whole answers that some bytes hold: with a length, or in chunks. */
function repliesIn(bytes: Buffer): Omit<RawReply, 'whole'>[] {
  const replies: Omit<RawReply, 'whole'>[] = []
  for (let at = 0; ;) {
    const end = bytes.indexOf(END_OF_HEAD, at)
    if (end < 0) return replies
    const head = headIn(bytes.toString('latin1', at, end))
    const start = end + END_OF_HEAD.length
    const length = head.headers.get('content-length')
    const isChunked = head.headers.get('transfer-encoding') === 'chunked'
    const endOfChunks = isChunked ? bytes.indexOf(END_OF_CHUNKS, start) : -1
    if (isChunked && endOfChunks < 0) return replies
    const stop = isChunked ? endOfChunks + END_OF_CHUNKS.length : start + Number(length ?? 0)
    if (stop > bytes.length) return replies
    replies.push({ ...head, text: bytes.toString('utf8', start, stop) })
    at = stop
  }
}

function headIn(text: string): Pick<RawReply, 'status' | 'headers'> {
  const [line = '', ...lines] = text.split('\r\n')
  const headers = new Map(
    lines.map((header) => {
      const colon = header.indexOf(':')
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()]
    }),
  )
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1] ?? 0), headers }
}
