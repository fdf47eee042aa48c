import { randomBytes } from 'node:crypto'
import { systemClock } from '../../src/base/clock'
import { Problem } from '../../src/base/problem'
import { BATCH_FILE_BYTES_MAX, CHUNK_BYTES } from '../../src/files/file-bounds'
import type { NewFile } from '../../src/files/files'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { handClock } from '../harness/hand-clock'
import { filesParts, pieces, wholeOf } from './files-parts'

const clock = handClock(systemClock.now())
const parts = filesParts(clock)
const { files, places, newTenant, ids } = parts
beforeAll(parts.prepare, 30_000)
afterAll(parts.close)

const aFile: NewFile = { filename: 'lines.jsonl', purpose: 'batch', createdBy: undefined }

async function made(scope: TenantScope, content: Uint8Array | string, more: Partial<NewFile> = {}) {
  const file = await files.create(scope, { ...aFile, ...more }, pieces(content))
  if (file instanceof Problem) throw new Error(file.public)
  return file
}
const contentOf = async (scope: TenantScope, id: Parameters<typeof files.read>[1]) =>
  wholeOf((await files.read(scope, id))?.content)
const census = async (scope: TenantScope) => places.census(scope, await places.get(scope))

describe('a file', () => {
  it('is read as it was written, whatever the pieces it came in and however they fall on its chunks', async () => {
    const scope = await newTenant()
    const content = randomBytes(2 * CHUNK_BYTES + 17)
    const some = [content.subarray(0, 1), content.subarray(1, CHUNK_BYTES), content.subarray(CHUNK_BYTES)]
    const file = await files.create(scope, aFile, pieces(...some))
    if (file instanceof Problem) throw new Error(file.public)
    expect(file).toMatchObject({ bytes: content.length, filename: 'lines.jsonl', purpose: 'batch' })
    expect((await contentOf(scope, file.id)).equals(content)).toBe(true)
    expect(await files.get(scope, file.id)).toEqual(file)
  })

  it('may be empty', async () => {
    const scope = await newTenant()
    const { id, bytes } = await made(scope, '')
    expect([bytes, (await contentOf(scope, id)).length]).toEqual([0, 0])
  })

  it('is another tenant’s as little as one that never was', async () => {
    const [scope, other] = [await newTenant(), await newTenant()]
    const { id } = await made(scope, 'a')
    expect(await files.get(other, id)).toBeUndefined()
    expect(await files.read(other, id)).toBeUndefined()
    expect(await files.remove(other, id)).toBe(false)
    expect(await files.list(other, { limit: 10, order: 'desc' })).toEqual({ files: [], hasMore: false })
    expect(await files.get(scope, id)).toBeDefined()
  })

  it('leaves nothing of itself in the tenant’s place when it is deleted', async () => {
    const scope = await newTenant()
    const { id } = await made(scope, randomBytes(CHUNK_BYTES + 1))
    expect(await files.remove(scope, id)).toBe(true)
    expect(await files.get(scope, id)).toBeUndefined()
    expect(await files.remove(scope, id)).toBe(false)
    expect(await census(scope)).toEqual({})
  })

  it('that came under an id is not made a second time', async () => {
    const scope = await newTenant()
    const id = ids.fileId()
    const first = await made(scope, 'one', { id })
    expect(await made(scope, 'two', { id })).toEqual(first)
    expect((await contentOf(scope, id)).toString()).toBe('one')
  })

  it('made by two at once under one id is one of them, whole, and the other leaves nothing', async () => {
    const scope = await newTenant()
    const id = ids.fileId()
    const contents = ['x'.repeat(70_000), 'y'.repeat(90_000)]
    const both = await Promise.all(contents.map((content) => made(scope, content, { id })))
    expect(both[0]).toEqual(both[1])
    expect(contents).toContain((await contentOf(scope, id)).toString())
    await files.remove(scope, id)
    expect(await census(scope)).toEqual({})
  })
})

describe('a file that is too large for its purpose', () => {
  it('is refused while it comes, and leaves nothing', async () => {
    const scope = await newTenant()
    const piece = Buffer.alloc(1024 * 1024)
    let taken = 0
    const endless = async function* () {
      for (;;) {
        taken += piece.length
        yield piece
      }
    }
    expect(await files.create(scope, aFile, endless())).toMatchObject({ code: 'body_too_large', param: 'file' })
    expect(taken).toBe(BATCH_FILE_BYTES_MAX + piece.length)
    expect(await census(scope)).toEqual({})
  })
})

describe('a list of files', () => {
  it('has the newest first, or the oldest, in pages behind any of them', async () => {
    const scope = await newTenant()
    const all: string[] = []
    for (let n = 0; n < 7; n++) {
      await clock.advance(1)
      all.push((await made(scope, String(n), { purpose: n % 2 ? 'batch' : 'fine-tune' })).id)
    }
    const newest = all.toReversed()
    const page = async (query: object) => {
      const { files: found, hasMore } = await files.list(scope, { limit: 3, order: 'desc', ...query })
      return [...found.map(({ id }) => id), hasMore]
    }
    expect(await page({})).toEqual([...newest.slice(0, 3), true])
    expect(await page({ after: newest[2] })).toEqual([...newest.slice(3, 6), true])
    expect(await page({ after: newest[5] })).toEqual([newest[6], false])
    expect(await page({ order: 'asc' })).toEqual([...all.slice(0, 3), true])
    expect(await page({ order: 'asc', after: all[3] })).toEqual([...all.slice(4), false])
    expect(await page({ purpose: 'batch' })).toEqual([all[5], all[3], all[1], false])
    await files.remove(scope, newest[2] as `file-${string}`)
    expect(await page({ after: newest[2] })).toEqual([...newest.slice(3, 6), true])
  })
})

describe('files of a tenant that come and go at once', () => {
  it('are all there, and counted, and gone in the end', async () => {
    const scope = await newTenant()
    const some = await Promise.all(Array.from({ length: 12 }, (_, n) => made(scope, `file ${n}`)))
    expect((await files.list(scope, { limit: 100, order: 'desc' })).files).toHaveLength(12)
    await Promise.all(some.map(({ id }) => files.remove(scope, id)))
    expect((await files.list(scope, { limit: 100, order: 'desc' })).files).toEqual([])
    expect(await census(scope)).toEqual({})
  })
})
