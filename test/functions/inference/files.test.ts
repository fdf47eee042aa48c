import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileDescriptions } from '../../../src/http/openapi-files'
import { post } from '../../harness/call'
import { startTestStack, type TestStack } from '../../harness/stack'

let stack: TestStack
let apiKey: string
let otherKey: string

beforeAll(async () => {
  stack = await startTestStack()
  apiKey = (await stack.makeTenant()).apiKey
  otherKey = (await stack.makeTenant()).apiKey
})
afterAll(() => stack.stop())

const V1 = '/openai/v1'
const MB = 1024 * 1024
type Fields = readonly (readonly [string, string | Blob, string?])[]

const form = (fields: Fields) => {
  const data = new FormData()
  for (const [name, value, filename] of fields) {
    if (typeof value === 'string') data.append(name, value)
    else data.append(name, value, filename ?? 'a.jsonl')
  }
  return data
}
const ask = async (
  method: string,
  path: string,
  { key = apiKey, body }: { key?: string; body?: string | FormData } = {},
) => {
  const answer = await fetch(stack.baseUrl + path, { method, headers: { 'api-key': key }, ...(body ? { body } : {}) })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, text, json: JSON.parse(text) as Record<string, unknown> }
}
const a = new Blob(['{}'])
const send = (fields: Fields, path = `${V1}/files`) => ask('POST', path, { body: form(fields) })
const sent = async (
  fields: Fields = [
    ['purpose', 'batch'],
    ['file', a],
  ],
) => String((await send(fields)).json['id'])
const listed = async () => (await ask('GET', `${V1}/files`)).json['data'] as { id: string; filename: string }[]

describe('a file is kept', () => {
  it.each([
    ['v1', `${V1}/files`, 200, undefined],
    ['without a version', '/openai/files', 200, undefined],
    ['of a dated version', '/openai/files?api-version=2024-10-21', 201, '?api-version=2024-10-21'],
  ])('as each of Azure’s families answers: %s', async (_, path, status, query) => {
    const answer = await send(
      [
        ['purpose', 'fine-tune'],
        ['file', a, 'räum "x".jsonl'],
      ],
      path,
    )
    const { id } = answer.json
    expect(answer.status).toBe(status)
    expect(answer.headers.get('location')).toBe(query === undefined ? null : `/openai/files/${String(id)}${query}`)
    expect(answer.json).toEqual({
      id: expect.stringMatching(/^file-[0-9a-z]{26}$/),
      object: 'file',
      bytes: 2,
      created_at: expect.any(Number),
      filename: 'räum "x".jsonl',
      purpose: 'fine-tune',
      status: 'processed',
    })
    expect(answer.headers.get('x-request-id')).toMatch(/^call_/)
    expect(answer.headers.get('x-ratelimit-limit-requests')).not.toBeNull()
  })

  it.each([
    ['brackets', 'expires_after[seconds]', 'expires_after[anchor]'],
    ['dots', 'expires_after.seconds', 'expires_after.anchor'],
  ])('until the time that its form names by %s, and whatever the order of its fields', async (_, seconds, anchor) => {
    const { json } = await send([
      ['file', a],
      [anchor, 'created_at'],
      [seconds, '3600'],
      ['purpose', 'batch'],
    ])
    expect(Number(json['expires_at']) - Number(json['created_at'])).toBe(3_600)
  })
})

describe('a file is refused, by the name of what is wrong', () => {
  const file: Fields[number] = ['file', a]
  const batch: Fields[number] = ['purpose', 'batch']
  it.each<[string, Fields, string | null]>([
    ['no purpose', [file], 'purpose'],
    ['an unknown purpose', [['purpose', 'x'], file], 'purpose'],
    ['the platform’s own purpose', [['purpose', 'batch_output'], file], 'purpose'],
    ['no file', [batch], 'file'],
    ['a file that is text', [batch, ['file', '{}']], 'file'],
    ['two files', [batch, file, file], 'file'],
    ['another file', [batch, ['image', a]], 'image'],
    ['an expiry without its anchor', [batch, file, ['expires_after[seconds]', '3600']], 'expires_after.anchor'],
    [
      'an expiry that is too soon',
      [batch, file, ['expires_after[seconds]', '1'], ['expires_after[anchor]', 'created_at']],
      'expires_after.seconds',
    ],
    ['a name that is too long', [batch, ['file', a, 'a'.repeat(600)]], 'file'],
  ])('%s', async (_, fields, param) => {
    const before = await listed()
    const answer = await send(fields)
    expect(answer.status).toBe(400)
    expect(answer.json['error']).toMatchObject({ param, type: 'invalid_request_error', code: 'invalid_request' })
    expect(await listed()).toEqual(before)
  })

  it('JSON, and the import of an address', async () => {
    const body = { purpose: 'fine-tune', filename: 'a', content_url: 'https://example.com/a' }
    for (const path of [`${V1}/files`, '/openai/files/import?api-version=2024-10-21']) {
      const answer = await post({ baseUrl: stack.baseUrl, apiKey }, path, body)
      expect([answer.status, answer.json.error?.code]).toEqual([400, 'invalid_request'])
    }
  })

  it.each([
    ['limit=0', 'limit'],
    ['limit=x', 'limit'],
    ['order=up', 'order'],
    ['after=x', 'after'],
    ['purpose=x', 'purpose'],
  ])('a list with %s', async (query, param) => {
    const answer = await ask('GET', `${V1}/files?${query}`)
    expect([answer.status, answer.json['error']]).toMatchObject([400, { param }])
  })
})

describe('an upload is refused, by the name of what is wrong', () => {
  const good = { purpose: 'batch', filename: 'a', bytes: 2, mime_type: 'text/plain' }
  it.each([
    [{ ...good, purpose: 'x' }, 'purpose'],
    [{ ...good, filename: 'a\nb' }, 'filename'],
    [{ ...good, bytes: 0 }, 'bytes'],
    [{ ...good, bytes: 8 * 1024 * MB }, 'bytes'],
    [{ ...good, bytes: 201 * MB }, 'bytes'],
    [{ ...good, mime_type: undefined }, 'mime_type'],
    [{ ...good, expires_after: { seconds: 1 } }, 'expires_after.seconds'],
  ])('%j', async (body, param) => {
    const answer = await post({ baseUrl: stack.baseUrl, apiKey }, `${V1}/uploads`, body)
    expect([answer.status, answer.json.error?.param]).toEqual([400, param])
  })
})

it('a client that breaks off in the midst of a file leaves none', async () => {
  const { hostname, port } = new URL(stack.baseUrl)
  const before = await listed()
  const socket = connect(Number(port), hostname)
  const head = '--x\r\ncontent-disposition: form-data; name="file"; filename="half"\r\n\r\n'
  socket.write(
    `POST ${V1}/files HTTP/1.1\r\nhost: x\r\napi-key: ${apiKey}\r\ncontent-length: 9000000\r\n` +
      `content-type: multipart/form-data; boundary=x\r\n\r\n${head}${'a'.repeat(4 * MB)}`,
  )
  await sleep(300)
  socket.destroy()
  await sleep(300)
  expect(await listed()).toEqual(before)
})

const attempts: [
  string,
  string,
  (id: { file: string; upload: string; part: string }) => string,
  string | FormData | undefined,
][] = [
  ['files.retrieve', 'GET', ({ file }) => `/files/${file}`, undefined],
  ['files.content', 'GET', ({ file }) => `/files/${file}/content`, undefined],
  ['files.delete', 'DELETE', ({ file }) => `/files/${file}`, undefined],
  ['uploads.parts.create', 'POST', ({ upload }) => `/uploads/${upload}/parts`, form([['data', a]])],
  [
    'uploads.complete',
    'POST',
    ({ upload }) => `/uploads/${upload}/complete`,
    JSON.stringify({ part_ids: ['uplprt-0123456789abcdefghjkmnpqrs'] }),
  ],
  ['uploads.cancel', 'POST', ({ upload }) => `/uploads/${upload}/cancel`, undefined],
]

describe('another tenant', () => {
  it('tries every operation that names a thing', () => {
    const named = fileDescriptions.filter(({ path }) => path.includes('{')).map(({ name }) => name)
    expect(attempts.map(([name]) => name).sort()).toEqual(named.sort())
  })

  const made = async () => {
    const file = await sent()
    const target = { baseUrl: stack.baseUrl, apiKey }
    const body = { purpose: 'batch', filename: 'a', bytes: 2, mime_type: 'text/plain' }
    const upload = String((await post(target, `${V1}/uploads`, body)).json['id'])
    const part = String((await ask('POST', `${V1}/uploads/${upload}/parts`, { body: form([['data', a]]) })).json['id'])
    return { file, upload, part }
  }
  const unknown = { file: 'file-01jcv9x2q3r4s5t6v7w8x9y0z1', upload: 'upload_01jcv9x2q3r4s5t6v7w8x9y0z1', part: '' }

  it.each(attempts)(
    'gets the same for a thing of this one and for one that never was: %s',
    async (_, method, path, body) => {
      const real = await made()
      for (const family of [V1, '/openai']) {
        const on = async (things: typeof unknown) => {
          const { status, text } = await ask(method, family + path(things), {
            key: otherKey,
            ...(body ? { body } : {}),
          })
          return `${status} ${text.replaceAll(things.file, '{file}').replaceAll(things.upload, '{upload}')}`
        }
        expect(await on(real)).toMatch(/^404 /)
        expect(await on(real)).toBe(await on(unknown))
      }
      // Nothing of it has changed for its owner.
      expect((await ask('GET', `${V1}/files/${real.file}`)).status).toBe(200)
      const done = await post({ baseUrl: stack.baseUrl, apiKey }, `${V1}/uploads/${real.upload}/complete`, {
        part_ids: [real.part],
      })
      expect(done.status).toBe(200)
    },
  )

  it('lists none of its files, and goes on behind none of them with more', async () => {
    const { file } = await made()
    for (const query of ['', `?after=${file}`, '?order=asc'])
      expect((await ask('GET', `${V1}/files${query}`, { key: otherKey })).json['data']).toEqual([])
  })

  it('cannot put a part of this one’s into a file of its own', async () => {
    const { part } = await made()
    const target = { baseUrl: stack.baseUrl, apiKey: otherKey }
    const own = await post(target, `${V1}/uploads`, {
      purpose: 'batch',
      filename: 'a',
      bytes: 2,
      mime_type: 'text/plain',
    })
    const path = `${V1}/uploads/${String(own.json['id'])}/complete`
    const answer = await post(target, path, { part_ids: [part] })
    expect([answer.status, answer.json.error?.param]).toEqual([400, 'part_ids[0]'])
  })
})

describe('the host', () => {
  /** Of the process in which the app runs. */
  const residentBytes = () => {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${stack.hostPid()}/status`, 'utf8')) ?? []
    return Number(kilobytes) * 1024
  }

  it('holds no more than a part of the 200 MB that go through it both ways, to a slow client too', async () => {
    const target = { baseUrl: stack.baseUrl, apiKey }
    const piece = randomBytes(MB)
    const body = async function* () {
      yield Buffer.from('--x\r\ncontent-disposition: form-data; name="data"; filename="part"\r\n\r\n')
      for (let n = 0; n < 50; n++) yield piece
      yield Buffer.from('\r\n--x--\r\n')
    }
    const upload = { purpose: 'batch', filename: 'large', bytes: 200 * MB, mime_type: 'text/plain' }
    const path = `${V1}/uploads/${String((await post(target, `${V1}/uploads`, upload)).json['id'])}`
    const before = residentBytes()
    let peakBytes = before
    const watching = setInterval(() => (peakBytes = Math.max(peakBytes, residentBytes())), 50)
    try {
      const partIds: unknown[] = []
      for (let n = 0; n < 4; n++) {
        const part = await fetch(`${stack.baseUrl}${path}/parts`, {
          method: 'POST',
          headers: { 'api-key': apiKey, 'content-type': 'multipart/form-data; boundary=x' },
          body: ReadableStream.from(body()),
          duplex: 'half',
        })
        partIds.push(((await part.json()) as { id: string }).id)
      }
      const md5 = createHash('md5')
      for (let n = 0; n < 200; n++) md5.update(piece)
      const done = await post(target, `${path}/complete`, { part_ids: partIds, md5: md5.digest('hex') })
      expect(done.json).toMatchObject({ status: 'completed', file: { bytes: 200 * MB } })
      const { id } = done.json['file'] as { id: string }

      const answer = await fetch(`${stack.baseUrl}${V1}/files/${id}/content`, { headers: { 'api-key': apiKey } })
      let bytes = 0
      let waits = 20
      for await (const chunk of answer.body ?? []) {
        bytes += chunk.length
        if (waits-- > 0) await sleep(100)
      }
      expect(bytes).toBe(200 * MB)
      // With what a young process still loads and what its timers do meanwhile.
      expect((peakBytes - before) / MB).toBeLessThan(160)
    } finally {
      clearInterval(watching)
    }
  })
})
