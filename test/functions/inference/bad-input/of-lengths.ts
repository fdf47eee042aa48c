import { readFileSync } from 'node:fs'
import { post } from '../../../harness/call'
import { rawCall, writeBlanks, type RawReply, type RawSender } from './raw-client'
import { expectClearError } from './tenant'
import type { BadInputWorld } from './world'

const MB = 1024 * 1024
const DECLARED_BYTES = 100_000_000
/** As near to the 100 MB that the Functions host takes as whole chunks come. */
const CHUNKS = 95
const GROWN_BYTES_MAX = 250 * MB

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'multipart/form-data; boundary=x'
const file = (name: string) => `--x\r\ncontent-disposition: form-data; name="${name}"; filename="f"\r\n\r\n`

/** What reads a body, each within a bound of its own, and how its body begins. */
interface Reader {
  readonly what: string
  readonly path: string
  readonly type: string
  readonly begins: string
}

const chat: Reader = { what: 'a chat', path: '/chat/completions', type: JSON_TYPE, begins: '{' }
const sound: Reader = {
  what: 'a transcription',
  path: '/audio/transcriptions',
  type: FORM_TYPE,
  begins: file('file'),
}
const batch: Reader = { what: 'a new batch', path: '/batches', type: JSON_TYPE, begins: '{' }
const part: Reader = {
  what: 'a part of an upload',
  path: '/uploads/{upload}/parts',
  type: FORM_TYPE,
  begins: file('data'),
}
const readers: readonly Reader[] = [
  chat,
  { ...chat, what: 'a response', path: '/responses' },
  sound,
  { ...sound, what: 'an edit of images', path: '/images/edits', begins: file('image') },
  part,
  { ...batch, what: 'a new upload', path: '/uploads' },
  batch,
]

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

function expectTooLarge({ status, headers, text }: RawReply): void {
  const { code } = expectClearError({ status, headers: new Headers([...headers]), text })
  expect([status, code]).toEqual([413, 'body_too_large'])
}

/** Bodies of 100 MB, declared or not: refused in OpenAI's shape, held by nobody. */
export function describeBadLengths(world: () => BadInputWorld): void {
  let upload: string
  beforeAll(async () => {
    const { baseUrl } = world().stack
    const wanted = { purpose: 'batch', filename: 'a', bytes: 150 * MB, mime_type: 'text/plain' }
    const { json } = await post({ baseUrl, apiKey: world().tenant.apiKey }, '/openai/v1/uploads', wanted)
    upload = String(json['id'])
  })

  const call = (send: Parameters<typeof rawCall>[1], more?: Parameters<typeof rawCall>[2]) =>
    rawCall(world().stack.baseUrl, send, more)

  const headOf = ({ path, type }: Reader, length: string) =>
    [
      `POST /openai/v1${path.replace('{upload}', upload)} HTTP/1.1`,
      `host: ${new URL(world().stack.baseUrl).host}`,
      `api-key: ${world().tenant.apiKey}`,
      `content-type: ${type}`,
      length,
      '\r\n',
    ].join('\r\n')

  /** In chunks, without saying how many. */
  const sendChunks = (reader: Reader) => async (sender: RawSender) => {
    await sender.write(headOf(reader, 'transfer-encoding: chunked') + chunk(reader.begins))
    await writeBlanks(sender, CHUNKS)
    await sender.write('0\r\n\r\n')
  }

  /** Of the process in which the app runs. */
  const residentBytes = () => {
    const status = readFileSync(`/proc/${world().stack.hostPid()}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  }

  describe('a body of 100 MB', () => {
    it.each(readers)('is refused by its length before any of it is read: $what', async (reader) => {
      expectTooLarge(await call(({ write }) => write(headOf(reader, `content-length: ${DECLARED_BYTES}`))))
    })

    it.each(readers)('without a length is refused when it has passed the bound: $what', async (reader) => {
      expectTooLarge(await call(sendChunks(reader)))
    })

    it.each([chat, sound, batch])(
      'is refused to a client that reads when it has sent all of it: $what',
      async (reader) => {
        expectTooLarge(await call(sendChunks(reader), { readsLater: true }))
      },
    )

    it('whose file is refused by what stands before it is heard of when it has been sent', async () => {
      const purpose = '--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nnone\r\n'
      const upload = { ...part, path: '/files', begins: purpose + file('file') }
      const { headers, ...reply } = await call(sendChunks(upload), { readsLater: true })
      const error = expectClearError({ ...reply, headers: new Headers([...headers]) })
      expect([reply.status, error.param]).toEqual([400, 'purpose'])
    })

    it('is refused to an HTTP client of every day, declared or not', async () => {
      const piece = Buffer.alloc(MB, ' ')
      const pieces = function* () {
        for (let n = 0; n < CHUNKS; n++) yield piece
      }
      for (const body of [Buffer.alloc(CHUNKS * MB, ' '), ReadableStream.from(pieces())]) {
        const { baseUrl } = world().stack
        const headers = { 'api-key': world().tenant.apiKey, 'content-type': JSON_TYPE }
        const url = `${baseUrl}/openai/v1/chat/completions`
        const answer = await fetch(url, { method: 'POST', headers, body, duplex: 'half' })
        const error = expectClearError({ status: answer.status, headers: answer.headers, text: await answer.text() })
        expect(error.code).toBe('body_too_large')
      }
    })

    it('of which many come at once is not held: the process grows by what the bounds let it keep', async () => {
      const before = residentBytes()
      let peak = before
      const watch = setInterval(() => (peak = Math.max(peak, residentBytes())), 20)
      try {
        const calls = [chat, batch, chat, batch, sound].map((reader) => call(sendChunks(reader)))
        for (const reply of await Promise.all(calls)) expectTooLarge(reply)
      } finally {
        clearInterval(watch)
      }
      expect(peak - before).toBeLessThan(GROWN_BYTES_MAX)
    })

    it('leaves its connection fit for the next call', async () => {
      const body = Buffer.from(world().tenant.shot('chat.completions').body)
      const both = async (sender: RawSender) => {
        await sendChunks(chat)(sender)
        await sender.write(headOf(chat, `content-length: ${body.length}`))
        await sender.write(body)
      }
      expect((await call(both, { readsLater: true, answers: 2 })).status).toBe(200)
    })
  })

  describe('a body that is not what its length says', () => {
    const bodyOf = () => Buffer.from(world().tenant.shot('chat.completions').body)

    it('ends before it: nothing is answered, nothing waits for the rest', async () => {
      const reply = await call(async ({ write, end }) => {
        await write(headOf(chat, `content-length: ${bodyOf().length + 10}`))
        await write(bodyOf())
        end()
      })
      expect([0, 400]).toContain(reply.status)
    })

    it('goes on behind it: what is left is no call', async () => {
      const more = Buffer.from('{"more":1}\r\n\r\n')
      const both = async ({ write }: RawSender) => {
        await write(headOf(chat, `content-length: ${bodyOf().length}`))
        await write(Buffer.concat([bodyOf(), more]))
      }
      expect((await call(both, { answers: 2 })).status).toBe(400)
    })

    it('comes in chunks that are none', async () => {
      const chunks = `${headOf(chat, 'transfer-encoding: chunked')}zz\r\n{}\r\n0\r\n\r\n`
      expect((await call(({ write }) => write(chunks))).status).toBe(400)
    })
  })
}
