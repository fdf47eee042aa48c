import { createHash } from 'node:crypto'
import { toFile } from 'openai'
import { KEY, runningSimulator } from './running'
import { sdkClients } from './sdk-clients'

const simulator = runningSimulator()
const lines = '{"custom_id":"one"}\n{"custom_id":"two"}\n'
const V1 = '/openai/v1/files'
const CLASSIC = '/openai/files?api-version=2024-10-21'

/** A multipart body by Node's own encoder. */
function form(fields: Readonly<Record<string, string | Blob>>): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') data.set(name, value)
    else data.set(name, value, `${name}.jsonl`)
  }
  return data
}
const upload = (path: string, fields: Readonly<Record<string, string | Blob>>) =>
  fetch(simulator.url(path), { method: 'POST', headers: { 'api-key': KEY }, body: form(fields) })
const uploaded = async (text: string | Uint8Array<ArrayBuffer>, more: Readonly<Record<string, string>> = {}) =>
  (await (await upload(V1, { purpose: 'batch', ...more, file: new Blob([text]) })).json()) as {
    id: string
    status: string
  }
const content = async (id: string) =>
  Buffer.from(await (await simulator.send('GET', `${V1}/${id}/content`)).arrayBuffer())

describe.each(sdkClients(simulator.url))('files: %s', (_name, makeClient) => {
  it('uploads, retrieves, reads back and deletes', async () => {
    const client = makeClient()
    const made = await client.files.create({ purpose: 'batch', file: await toFile(Buffer.from(lines), 'räum".jsonl') })

    expect(made).toMatchObject({ object: 'file', bytes: lines.length, purpose: 'batch', status: 'processed' })
    expect(made.id).toMatch(/^file-[0-9a-f]{32}$/)
    expect(made.filename).toBe('räum".jsonl')
    expect(await client.files.retrieve(made.id)).toEqual(made)
    expect(await (await client.files.content(made.id)).text()).toBe(lines)
    expect(await client.files.delete(made.id)).toMatchObject({ id: made.id, deleted: true })
    await expect(client.files.retrieve(made.id)).rejects.toMatchObject({ status: 404 })
  })

  it('lists page by page, newest first, by purpose', async () => {
    const client = makeClient()
    const file = async () => toFile(Buffer.from(lines), 'a.jsonl')
    const ids: string[] = []
    for (let count = 0; count < 3; count++)
      ids.push((await client.files.create({ purpose: 'evals', file: await file() })).id)
    await client.files.create({ purpose: 'assistants', file: await file() })
    const listed = await Array.fromAsync(client.files.list({ purpose: 'evals', limit: 2 }))

    expect(listed.map(({ id }) => id)).toEqual(ids.toReversed())
    for (const id of ids) await client.files.delete(id)
  })

  it('uploads in parts, put together in the order that is named', async () => {
    const client = makeClient()
    const bytes = Buffer.byteLength(lines)
    const { id } = await client.uploads.create({
      purpose: 'batch',
      filename: 'b.jsonl',
      bytes,
      mime_type: 'application/jsonl',
    })
    const part = async (text: string) =>
      client.uploads.parts.create(id, { data: await toFile(Buffer.from(text), 'part') })
    const second = await part(lines.slice(10))
    const first = await part(lines.slice(0, 10))
    const md5 = createHash('md5').update(lines).digest('hex')
    const done = await client.uploads.complete(id, { part_ids: [first.id, second.id], md5 })

    expect(done.status).toBe('completed')
    expect(await (await client.files.content(done.file?.id ?? '')).text()).toBe(lines)
    await expect(client.uploads.cancel(id)).rejects.toMatchObject({ status: 400 })
  })

  it('cancels an upload, which then takes no part', async () => {
    const client = makeClient()
    const { id } = await client.uploads.create({ purpose: 'batch', filename: 'c', bytes: 1, mime_type: 'text/plain' })
    expect((await client.uploads.cancel(id)).status).toBe('cancelled')
    const late = client.uploads.parts.create(id, { data: await toFile(Buffer.from('x'), 'part') })
    await expect(late).rejects.toMatchObject({ status: 400 })
  })
})

describe('a file', () => {
  it('is 201 with its address in the classic family, and 200 on v1', async () => {
    const classic = await upload(CLASSIC, { purpose: 'batch', file: new Blob([lines]) })
    const { id } = (await classic.json()) as { id: string }

    expect(classic.status).toBe(201)
    expect(classic.headers.get('location')).toBe(simulator.url(`/openai/files/${id}?api-version=2024-10-21`))
    expect((await upload(V1, { purpose: 'batch', file: new Blob([lines]) })).status).toBe(200)
  })

  it('comes back byte for byte, whatever its bytes are', async () => {
    const bytes = new Uint8Array(100_000)
    for (let index = 0; index < bytes.length; index++) bytes[index] = (index * 7) % 256
    const { id } = await uploaded(bytes)
    expect((await content(id)).equals(bytes)).toBe(true)
  })

  it('is pending, then running, then processed, as slowly as it is told to', async () => {
    await simulator.patch({ files: { processingMs: 1_000 } })
    const file = await uploaded(lines)
    const seen = new Set([file.status])
    while (!seen.has('processed')) {
      seen.add(((await (await simulator.send('GET', `${V1}/${file.id}`)).json()) as { status: string }).status)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await simulator.patch({ files: { processingMs: 0 } })

    expect(file).toMatchObject({ status: 'pending', bytes: null })
    expect([...seen]).toEqual(['pending', 'running', 'processed'])
  })

  it('expires when it is told to, within the bounds', async () => {
    const expiry = (seconds: string) => ({ 'expires_after[seconds]': seconds, 'expires_after[anchor]': 'created_at' })
    const file = (await uploaded(lines, expiry('1209600'))) as unknown as { created_at: number; expires_at: number }
    const dotted = await uploaded(lines, { 'expires_after.seconds': '1209600', 'expires_after.anchor': 'created_at' })
    const soon = await upload(V1, { purpose: 'batch', file: new Blob([lines]), ...expiry('60') })

    expect(file.expires_at - file.created_at).toBe(1_209_600)
    expect(dotted).toHaveProperty('expires_at')
    expect(soon.status).toBe(400)
  })

  it('is listed with its account as long as it exists', async () => {
    const { id } = await uploaded(lines)
    const thing = { account: 'simulator', collection: 'files', id, status: 'processed' }
    expect(await simulator.things()).toContainEqual(thing)
    await simulator.send('DELETE', `${V1}/${id}`)
    expect(await simulator.things()).not.toContainEqual(thing)
  })

  it.each([
    ['no purpose', { file: new Blob(['x']) }, 'purpose'],
    ['an unknown purpose', { purpose: 'fun', file: new Blob(['x']) }, 'purpose'],
    ['no file', { purpose: 'batch' }, 'file'],
  ])('with %s is refused and names the parameter', async (_name, fields, param) => {
    const answer = await upload(V1, fields)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { param } })
  })

  it('of a form that is cut off, or of no form, is refused', async () => {
    const cut = '--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    const type = { 'content-type': 'multipart/form-data; boundary=b' }
    expect((await simulator.post(V1, cut, type)).status).toBe(400)
    expect((await simulator.post(V1, '{"purpose":"batch"}')).status).toBe(400)
  })

  it('ends half-way, fails and is slow as it is told to', async () => {
    const { id } = await uploaded(lines)
    const path = `${V1}/${id}/content`
    const cut = await simulator.send('GET', path, { 'x-simulator-fault': 'cut' })
    await expect(cut.text()).rejects.toThrow()
    expect((await simulator.send('GET', path, { 'x-simulator-fault': 'status:503' })).status).toBe(503)
    await expect(simulator.send('GET', path, { 'x-simulator-fault': 'reset' })).rejects.toThrow()
    const late = await simulator.send('GET', path, { 'x-simulator-fault': 'slow-first-token:20' })
    expect(await late.text()).toBe(lines)
  })

  it('is recorded by what was done to it', async () => {
    const { last } = await simulator.ledger()
    const { id } = await uploaded(lines)
    await simulator.send('GET', `${V1}/${id}/content`)
    await simulator.send('DELETE', `${V1}/${id}`)
    const records = await simulator.recorded(last, 3)

    expect(records.map(({ operation, answerId }) => [operation, answerId])).toEqual([
      ['files.create', id],
      ['files.content', id],
      ['files.delete', id],
    ])
  })
})

describe('an upload', () => {
  it('is complete with all of its bytes and their checksum only', async () => {
    const make = async () => {
      const body = { purpose: 'batch', filename: 'd', bytes: 4, mime_type: 'text/plain' }
      return ((await (await simulator.post('/openai/v1/uploads', body)).json()) as { id: string }).id
    }
    const id = await make()
    const part = async (text: string) =>
      ((await (await upload(`/openai/v1/uploads/${id}/parts`, { data: new Blob([text]) })).json()) as { id: string }).id
    const half = await part('ab')
    const rest = await part('cd')
    const complete = async (body: object) => (await simulator.post(`/openai/v1/uploads/${id}/complete`, body)).status

    expect(await complete({ part_ids: [half] })).toBe(400)
    expect(await complete({ part_ids: [half, 'uplprt-none'] })).toBe(400)
    expect(await complete({ part_ids: [half, rest], md5: '0'.repeat(32) })).toBe(400)
    expect(await complete({ part_ids: [half, rest] })).toBe(200)
  })
})
