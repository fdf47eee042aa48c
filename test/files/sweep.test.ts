import { randomBytes } from 'node:crypto'
import { systemClock } from '../../src/base/clock'
import { Problem } from '../../src/base/problem'
import {
  CHUNK_BYTES,
  CLEARING_MARGIN_MS,
  DRAFT_MS_MAX,
  PART_MS_MAX,
  UPLOAD_VALID_MS,
} from '../../src/files/file-bounds'
import type { FilesSlice } from '../../src/files/assemble-files'
import { emptyShelf, type Shelf } from '../../src/files/shelf'
import { fromJsonColumns } from '../../src/storage/json-columns'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { handClock } from '../harness/hand-clock'
import { Life } from './dying'
import { filesParts, pieces, wholeOf } from './files-parts'

const clock = handClock(systemClock.now())
const parts = filesParts(clock)
const { storage, files, uploads, places, ids, newTenant, sweep } = parts
beforeAll(parts.prepare, 30_000)
afterAll(parts.close)

const content = randomBytes(CHUNK_BYTES + 100)
const meta = { filename: 'a.jsonl', purpose: 'batch', createdBy: undefined } as const
const upload = { ...meta, bytes: content.length, expiresAfterSeconds: undefined, createdBy: 'key_0' } as const

const shelfOf = async (scope: TenantScope): Promise<Shelf> => {
  const row = await tenantTable(storage.table('files')).get(scope, 'shelf')
  return row ? fromJsonColumns<Shelf>(row.columns) : emptyShelf
}
const census = async (scope: TenantScope) => places.census(scope, await places.get(scope))
const all = async (scope: TenantScope) => (await files.list(scope, { limit: 100, order: 'desc' })).files
const longAfter = () => clock.advance(Math.max(DRAFT_MS_MAX, UPLOAD_VALID_MS) + PART_MS_MAX + 2 * CLEARING_MARGIN_MS)
/** What one run leaves, the next one clears: a completed upload is first made a file and then tidied. */
const sweptThrough = async () => {
  for (let run = 0; run < 3; run++) {
    await longAfter()
    await sweep()
  }
}
const ok = <T>(value: T | Problem): T => {
  if (value instanceof Problem) throw new Error(value.public)
  return value
}

/** The tenant's files are whole and counted, and nothing else of it is anywhere. */
async function expectTidy(scope: TenantScope) {
  const there = await all(scope)
  for (const { id, bytes } of there) expect((await wholeOf((await files.read(scope, id))?.content)).length).toBe(bytes)
  const { files: count, bytes, underWay } = await shelfOf(scope)
  expect({ count, bytes, underWay }).toEqual({
    count: there.length,
    bytes: there.reduce((sum, file) => sum + file.bytes, 0),
    underWay: {},
  })
  for (const { id } of there) await files.remove(scope, id)
  expect(await census(scope)).toEqual({})
}

/** Runs `work` again and again, killed one request to storage later each time, until it lives through. */
async function killedEverywhere(
  prepare: (scope: TenantScope) => Promise<object>,
  work: (slice: FilesSlice, scope: TenantScope, prepared: never) => Promise<unknown>,
) {
  const outcomes: boolean[] = []
  for (let endsAt = 1; ; endsAt++) {
    const scope = await newTenant()
    const prepared = await prepare(scope)
    const life = new Life(endsAt)
    const slice = parts.another(life.storage(storage))
    const survived = await work(slice, scope, prepared as never).then(
      () => true,
      () => false,
    )
    await sweptThrough()
    outcomes.push((await all(scope)).length > 0)
    await expectTidy(scope)
    if (survived) return outcomes
  }
}

describe('whoever is killed at any request to storage', () => {
  it('while a file is made leaves a whole file or nothing', async () => {
    const outcomes = await killedEverywhere(
      async () => ({}),
      async (slice, scope) => ok(await slice.files.create(scope, meta, pieces(content))),
    )
    expect(outcomes.length).toBeGreaterThan(4)
    expect([outcomes[0], outcomes.at(-1)]).toEqual([false, true])
  })

  it('while a file is deleted leaves it whole, before anything was noted, or nothing', async () => {
    const outcomes = await killedEverywhere(
      async (scope) => ok(await files.create(scope, meta, pieces(content))),
      (slice, scope, { id }: { id: `file-${string}` }) => slice.files.remove(scope, id),
    )
    expect(outcomes.length).toBeGreaterThan(4)
    expect([outcomes[0], outcomes.at(-1)]).toEqual([true, false])
  })

  it('while an upload is completed leaves its file, or nothing once the upload’s time is over', async () => {
    const outcomes = await killedEverywhere(
      async (scope) => {
        const { id } = ok(await uploads.create(scope, upload))
        const part = async (from: number, to: number) =>
          ok(await uploads.addPart(scope, id, pieces(content.subarray(from, to)))).id
        return { id, partIds: [await part(0, CHUNK_BYTES), await part(CHUNK_BYTES, content.length)] }
      },
      async (slice, scope, { id, partIds }: { id: `upload_${string}`; partIds: `uplprt-${string}`[] }) =>
        ok(await slice.uploads.complete(scope, id, { partIds, md5: undefined })),
    )
    expect(outcomes.length).toBeGreaterThan(4)
    expect([outcomes[0], outcomes.at(-1)]).toEqual([false, true])
  })

  it('while a part comes, or an upload begins or is cancelled, leaves nothing', async () => {
    const outcomes = await killedEverywhere(
      async () => ({}),
      async (slice, scope) => {
        const { id } = ok(await slice.uploads.create(scope, upload))
        ok(await slice.uploads.addPart(scope, id, pieces(content)))
        ok(await slice.uploads.cancel(scope, id))
      },
    )
    expect(outcomes.length).toBeGreaterThan(8)
    expect(outcomes).not.toContain(true)
  })
})

describe('the sweep', () => {
  it('deletes what has expired, and finds each of several in its time', async () => {
    const scope = await newTenant()
    const made = async (seconds?: number) =>
      ok(await files.create(scope, { ...meta, expiresAfterSeconds: seconds }, pieces('x'))).id
    const [stays, soon, later] = [await made(), await made(3_600), await made(7_200)]
    await clock.advance(3_600_000)
    expect((await all(scope)).map(({ id }) => id).sort()).toEqual([later, stays].sort())
    expect(await files.read(scope, soon)).toBeUndefined()
    await sweep()
    expect(await shelfOf(scope)).toMatchObject({ files: 2, bytes: 2 })
    await clock.advance(3_600_000)
    await sweep()
    expect((await all(scope)).map(({ id }) => id)).toEqual([stays])
    await expectTidy(scope)
  })

  it('lets alone what is under way, and an upload whose client comes back', async () => {
    const scope = await newTenant()
    const { id } = ok(await uploads.create(scope, { ...upload, bytes: 2 }))
    const part = ok(await uploads.addPart(scope, id, pieces('ab')))
    await clock.advance(UPLOAD_VALID_MS - 1)
    await sweep()
    const { file } = ok(await uploads.complete(scope, id, { partIds: [part.id], md5: undefined }))
    await longAfter()
    await sweep()
    expect((await wholeOf((await files.read(scope, file.id))?.content)).toString()).toBe('ab')
    await expectTidy(scope)
  })

  it('goes on with other tenants where one cannot be swept', async () => {
    const [one, other] = [await newTenant(), await newTenant()]
    for (const scope of [one, other])
      ok(await files.create(scope, { ...meta, expiresAfterSeconds: 3_600 }, pieces('x')))
    await parts.keyring.destroy(one)
    await clock.advance(3_700_000)
    await sweep()
    expect((await shelfOf(one)).files).toBe(1)
    expect((await shelfOf(other)).files).toBe(0)
  })
})

describe('an upload', () => {
  it('completed again by a client whose answer was lost is the same file', async () => {
    const scope = await newTenant()
    const { id } = ok(await uploads.create(scope, { ...upload, bytes: 2 }))
    const part = ok(await uploads.addPart(scope, id, pieces('ab')))
    const order = { partIds: [part.id], md5: undefined }
    const [first, second] = [await uploads.complete(scope, id, order), await uploads.complete(scope, id, order)]
    expect(ok(second).file).toEqual(ok(first).file)
    expect(await all(scope)).toHaveLength(1)
  })

  it('holds no more than its bytes and what may be sent again', async () => {
    const scope = await newTenant()
    const { id } = ok(await uploads.create(scope, { ...upload, bytes: 1 }))
    const part = await uploads.addPart(
      scope,
      id,
      pieces(...Array.from({ length: 65 }, () => Buffer.alloc(1024 * 1024))),
    )
    expect(part).toMatchObject({ code: 'body_too_large' })
    await sweptThrough()
    await expectTidy(scope)
  })

  it.each([
    ['a part that is not its own', (own: string) => [own.replace(/.$/, '0')]],
    ['a part twice', (own: string) => [own, own]],
  ])('is not completed with %s', async (_, partIds) => {
    const scope = await newTenant()
    const { id } = ok(await uploads.create(scope, { ...upload, bytes: 4 }))
    const part = ok(await uploads.addPart(scope, id, pieces('ab')))
    const order = { partIds: partIds(part.id) as `uplprt-${string}`[], md5: undefined }
    expect(await uploads.complete(scope, id, order)).toMatchObject({ code: 'invalid_request' })
    expect(await all(scope)).toEqual([])
  })

  it('is another tenant’s as little as one that never was', async () => {
    const [scope, other] = [await newTenant(), await newTenant()]
    const { id } = ok(await uploads.create(scope, upload))
    for (const [of, asked] of [
      [other, id],
      [other, ids.uploadId()],
    ] as const) {
      const order = { partIds: [ids.uploadPartId()], md5: undefined }
      const answers = [
        await uploads.addPart(of, asked, pieces('x')),
        await uploads.complete(of, asked, order),
        await uploads.cancel(of, asked),
      ]
      expect(answers).toEqual(answers.map(() => expect.objectContaining({ code: 'not_found' }) as unknown))
    }
    expect(ok(await uploads.cancel(scope, id)).state.kind).toBe('cancelled')
  })
})
