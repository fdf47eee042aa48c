import { hash, randomBytes } from 'node:crypto'
import { BlobServiceClient, BlockBlobClient, ContainerClient } from '@azure/storage-blob'
import { systemClock } from '../../src/base/clock'
import type { LinkUploadId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import {
  CHUNK_BYTES,
  CLEARING_MARGIN_MS,
  LINK_UPLOAD_VALID_MS,
  LINK_VALID_MS,
  TAKING_MS_MAX,
} from '../../src/files/file-bounds'
import { emptyShelf, type Shelf } from '../../src/files/shelf'
import { fromJsonColumns } from '../../src/storage/json-columns'
import { ownPlaceOf } from '../../src/storage/places'
import type { DataPlace } from '../../src/storage/tenant-data'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { handClock } from '../harness/hand-clock'
import { tenantOwnStorage } from '../harness/storage'
import { Life } from './dying'
import { filesParts, wholeOf } from './files-parts'

const clock = handClock(systemClock.now())
const parts = filesParts(clock)
const { storage, files, linkUploads, places, ids, newTenant, sweep } = parts
beforeAll(parts.prepare, 30_000)
afterAll(parts.close)

const content = randomBytes(CHUNK_BYTES + 100)
const small = content.subarray(0, 100)
const blockId = (number: number) => Buffer.from(`block-${String(number).padStart(6, '0')}`).toString('base64')

async function begun(scope: TenantScope, bytes?: number) {
  const wanted = { id: ids.linkUploadId(), filename: 'train.jsonl', bytes, createdBy: 'key_0' as const }
  const linked = await linkUploads.create(scope, wanted)
  if (linked instanceof Problem) throw new Error(linked.public)
  return { id: wanted.id, url: linked.url, blob: new BlockBlobClient(linked.url) }
}
async function written(blob: BlockBlobClient, bytes: Buffer = content) {
  const half = Math.ceil(bytes.length / 2)
  await blob.stageBlock(blockId(0), bytes.subarray(0, half), half)
  await blob.stageBlock(blockId(1), bytes.subarray(half), bytes.length - half)
  await blob.commitBlockList([blockId(0), blockId(1)])
}
const taken = async (scope: TenantScope, id: LinkUploadId) => {
  const completed = await linkUploads.complete(scope, id)
  if (completed instanceof Problem) throw new Error(completed.public)
  await linkUploads.take(scope, id)
  return linkUploads.get(scope, id)
}
const shelfOf = async (scope: TenantScope): Promise<Shelf> => {
  const row = await tenantTable(storage.table('files')).get(scope, 'shelf')
  return row ? fromJsonColumns<Shelf>(row.columns) : emptyShelf
}
/** What of the tenant lies in the clear, also where nothing of it is committed. */
const inTheClear = async (scope: TenantScope, container: ContainerClient = storage.container('tenant-incoming')) => {
  const names: string[] = []
  const blobs = container.listBlobsFlat({
    prefix: `${scope.tenantId}/`,
    includeUncommitedBlobs: true,
    includeSnapshots: true,
  })
  for await (const { name } of blobs) names.push(name)
  return names
}
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { statusCode?: number }) => error.statusCode,
  )
const sweptThrough = async (ms: number) => {
  await clock.advance(ms + CLEARING_MARGIN_MS + 1)
  await sweep()
}

describe('an upload by link', () => {
  it('that breaks off goes on with the blocks that are missing, and becomes the file with all of its bytes', async () => {
    const scope = await newTenant()
    const { id, url, blob } = await begun(scope, content.length)
    await blob.stageBlock(blockId(0), content.subarray(0, CHUNK_BYTES), CHUNK_BYTES)
    // The connection breaks while the second block is on its way.
    const broken = new AbortController()
    const half = async function* () {
      yield content.subarray(CHUNK_BYTES, CHUNK_BYTES + 50)
      broken.abort()
      await new Promise(() => {})
    }
    const put = fetch(`${url}&comp=block&blockid=${encodeURIComponent(blockId(1))}`, {
      method: 'PUT',
      body: half(),
      duplex: 'half',
      signal: broken.signal,
    } as unknown as RequestInit)
    await expect(put).rejects.toThrow()
    // Nothing is committed, so nothing can be completed; then it goes on by another link.
    expect(await linkUploads.complete(scope, id)).toMatchObject({ code: 'invalid_request' })
    const again = await linkUploads.link(scope, id)
    if (!again || again instanceof Problem) throw new Error('an open upload has another link')
    const resumed = new BlockBlobClient(again.url)
    await resumed.stageBlock(blockId(1), content.subarray(CHUNK_BYTES), content.length - CHUNK_BYTES)
    await resumed.commitBlockList([blockId(0), blockId(1)])

    const upload = await taken(scope, id)
    expect(upload?.state.kind).toBe('taken')
    const file = await files.read(scope, upload?.fileId ?? 'file-')
    expect(file?.record).toMatchObject({
      purpose: 'fine-tune',
      filename: 'train.jsonl',
      bytes: content.length,
      contentHash: `sha256:${hash('sha256', content)}`,
    })
    expect((await wholeOf(file?.content)).equals(content)).toBe(true)
    expect(await inTheClear(scope)).toEqual([])
  })

  it('takes what curl puts: blocks, and the list of them', async () => {
    const scope = await newTenant()
    const { id, url } = await begun(scope)
    const block = await fetch(`${url}&comp=block&blockid=${encodeURIComponent(blockId(0))}`, {
      method: 'PUT',
      body: 'a line',
    })
    const list = `<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>${blockId(0)}</Latest></BlockList>`
    const commit = await fetch(`${url}&comp=blocklist`, { method: 'PUT', body: list })
    expect([block.status, commit.status]).toEqual([201, 201])
    expect((await taken(scope, id))?.state.kind).toBe('taken')
  })

  it('that is completed too early, or with another size than promised, can be gone on with', async () => {
    const scope = await newTenant()
    const { id, blob } = await begun(scope, content.length)
    await blob.upload('half', 4)
    expect(await linkUploads.complete(scope, id)).toMatchObject({ code: 'invalid_request' })
    await written(blob, Buffer.alloc(0))
    expect(await linkUploads.complete(scope, id)).toMatchObject({ code: 'invalid_request' })
    await written(blob)
    expect((await taken(scope, id))?.state.kind).toBe('taken')
  })

  it('that was put where nobody can read it says so, and can be written again', async () => {
    const scope = await newTenant()
    const { id, blob } = await begun(scope)
    await blob.upload('text', 4, { tier: 'Archive' })
    expect(await linkUploads.complete(scope, id)).toMatchObject({ public: expect.stringMatching(/Archive/) })
    await written(blob)
    expect((await taken(scope, id))?.state.kind).toBe('taken')
  })

  it('is completed once, however often that is asked for', async () => {
    const scope = await newTenant()
    const { id, blob } = await begun(scope)
    await written(blob)
    const first = await taken(scope, id)
    expect(await taken(scope, id)).toEqual(first)
    expect((await files.list(scope, { limit: 10, order: 'desc' })).files).toHaveLength(1)
    expect(await linkUploads.abandon(scope, id)).toMatchObject({ code: 'conflict' })
  })

  it('of another tenant is one that never was', async () => {
    const [scope, other] = [await newTenant(), await newTenant()]
    const { id, blob } = await begun(scope)
    await written(blob)
    const asked = [linkUploads.get, linkUploads.link, linkUploads.complete, linkUploads.abandon]
    for (const ask of asked) expect(await ask(other, id)).toBeUndefined()
    await linkUploads.take(other, id)
    expect((await taken(scope, id))?.state.kind).toBe('taken')
  })

  it.each([
    ['tables and containers of its own', (scope: TenantScope): DataPlace => ownPlaceOf(scope)],
    ['a storage account of its own', (): DataPlace => ({ kind: 'account', account: tenantOwnStorage().account })],
  ])('goes into the tenant’s own place where that is %s', async (_, placeOf) => {
    const scope = await newTenant()
    const place = placeOf(scope)
    await places.prepare(scope, place)
    await places.set(scope, place)
    const { id, blob } = await begun(scope)
    await written(blob)
    expect(await inTheClear(scope)).toEqual([])
    expect(Object.keys(await places.census(scope, place))).toContain('container incoming')
    const upload = await taken(scope, id)
    expect((await wholeOf((await files.read(scope, upload?.fileId ?? 'file-'))?.content)).equals(content)).toBe(true)
    expect(Object.keys(await places.census(scope, place))).not.toContain('container incoming')
    await places.empty(scope, place)
  })

  it('into a place that was made before there were such containers finds one', async () => {
    const scope = await newTenant()
    const place = ownPlaceOf(scope)
    await places.prepare(scope, place)
    await storage.container(`tenant-incoming-${scope.tenantId.slice('ten_'.length)}`).delete()
    await places.set(scope, place)
    const { id, blob } = await begun(scope)
    await written(blob)
    expect((await taken(scope, id))?.state.kind).toBe('taken')
    await places.empty(scope, place)
  })

  it('whose tenant is moved meanwhile ends with what to do, and leaves nothing', async () => {
    const scope = await newTenant()
    const { id, blob } = await begun(scope)
    await written(blob)
    await linkUploads.complete(scope, id)
    await places.empty(scope, ownPlaceOf(scope))
    await places.prepare(scope, ownPlaceOf(scope))
    await places.set(scope, ownPlaceOf(scope))
    // What is sealed moves with the tenant; what is in the clear is left.
    const [from, to] = await Promise.all([
      places.contents(scope, { kind: 'logical' }),
      places.contents(scope, ownPlaceOf(scope)),
    ])
    for await (const row of from.tables.content.range('', '~')) await to.tables.content.put(row.rowKey, row.columns)
    await linkUploads.take(scope, id)
    expect(await linkUploads.get(scope, id)).toMatchObject({ state: { kind: 'failed', code: 'conflict' } })
    expect(await inTheClear(scope)).toEqual([])
    await places.empty(scope, ownPlaceOf(scope))
  })
})

describe('a link to upload by', () => {
  it('lets nobody read, list or delete, and reaches no other blob', async () => {
    const [scope, other] = [await newTenant(), await newTenant()]
    const { url, blob } = await begun(scope)
    const others = await begun(other)
    await written(blob)
    await written(others.blob)
    const [address, signature] = url.split('?')
    const at = (path: string) => new BlockBlobClient(`${path}?${signature}`)
    const container = String(address).slice(0, String(address).indexOf(scope.tenantId) - 1)
    const attempts = {
      read: blob.download(),
      properties: blob.getProperties(),
      blocks: blob.getBlockList('all'),
      delete: blob.delete(),
      list: new ContainerClient(`${container}?${signature}`).listBlobsFlat().next(),
      containers: new BlobServiceClient(`${new URL(container).origin}?${signature}`).listContainers().next(),
      'another name': at(`${address}-2`).upload('x', 1),
      'a name below it': at(`${address}/2`).upload('x', 1),
      'another tenant': at(others.url.split('?')[0] ?? '').upload('x', 1),
      'what is sealed': at(String(address).replace('tenant-incoming', 'tenant-content')).upload('x', 1),
      'reading another': at(others.url.split('?')[0] ?? '').download(),
    }
    const outcomes = await Promise.all(
      Object.entries(attempts).map(async ([what, attempt]) => [what, await outcomeOf(attempt)] as const),
    )
    expect(outcomes.filter(([, outcome]) => typeof outcome !== 'number' || outcome < 400)).toEqual([])
    expect(new URL(url).searchParams.get('sp')).toBe('cw')
    expect(new URL(url).searchParams.get('sr')).toBe('b')
    expect((await taken(other, others.id))?.state.kind).toBe('taken')
  })

  it('ends within the hour, and never behind its upload', async () => {
    const scope = await newTenant()
    const { id, url } = await begun(scope)
    const until = (link: string) => Date.parse(new URL(link).searchParams.get('se') ?? '')
    expect(Math.abs(until(url) - (clock.now() + LINK_VALID_MS))).toBeLessThan(1_001)
    const endsAt = clock.now() + LINK_UPLOAD_VALID_MS
    await clock.advance(LINK_UPLOAD_VALID_MS - 60_000)
    const late = await linkUploads.link(scope, id)
    if (!late || late instanceof Problem) throw new Error('it is open still')
    expect(Math.abs(until(late.url) - endsAt)).toBeLessThan(1_001)
    await clock.advance(60_000)
    expect(await linkUploads.link(scope, id)).toMatchObject({ code: 'conflict' })
    expect(await linkUploads.complete(scope, id)).toMatchObject({ code: 'conflict' })
    await linkUploads.abandon(scope, id)
  })
})

describe('nothing lies in the clear', () => {
  it('once an upload is abandoned: blocks that nobody committed, snapshots and leases included', async () => {
    const scope = await newTenant()
    const { id, blob } = await begun(scope)
    await written(blob)
    await blob.createSnapshot()
    await blob.getBlobLeaseClient().acquireLease(-1)
    const uncommitted = await begun(scope)
    await uncommitted.blob.stageBlock(blockId(0), 'text', 4)
    expect(await inTheClear(scope)).toHaveLength(3)
    expect(await linkUploads.abandon(scope, id)).toMatchObject({ state: { kind: 'abandoned' } })
    await linkUploads.abandon(scope, uncommitted.id)
    expect(await inTheClear(scope)).toEqual([])
  })

  it('after an upload’s time, whether its client has gone or still writes', async () => {
    const scope = await newTenant()
    const { id, blob } = await begun(scope, 1_000)
    await written(blob)
    expect((await shelfOf(scope)).underWay[id]).toMatchObject({ kind: 'receiving', bytes: 1_000 })
    await sweptThrough(LINK_UPLOAD_VALID_MS)
    expect(await inTheClear(scope)).toEqual([])
    expect(await linkUploads.get(scope, id)).toBeUndefined()
    expect((await shelfOf(scope)).underWay).toEqual({})
  })

  it('after a completed upload, also where its link is used once more', async () => {
    const scope = await newTenant()
    const { id, blob } = await begun(scope)
    await written(blob)
    const upload = await taken(scope, id)
    await written(blob, Buffer.from('more'))
    expect(await inTheClear(scope)).toHaveLength(1)
    await sweptThrough(LINK_VALID_MS)
    expect(await inTheClear(scope)).toEqual([])
    expect((await shelfOf(scope)).underWay).toEqual({})
    expect((await files.get(scope, upload?.fileId ?? 'file-'))?.bytes).toBe(content.length)
  })

  it('when who takes it in is killed at any request to storage, and the file is made once', async () => {
    for (let endsAt = 1; ; endsAt++) {
      const scope = await newTenant()
      const { id, blob } = await begun(scope)
      await written(blob, small)
      await linkUploads.complete(scope, id)
      const life = new Life(endsAt)
      const survived = await parts
        .another(life.storage(storage))
        .linkUploads.take(scope, id)
        .then(
          () => true,
          () => false,
        )
      const upload = await taken(scope, id)
      expect(upload?.state.kind).toBe('taken')
      expect((await wholeOf((await files.read(scope, upload?.fileId ?? 'file-'))?.content)).equals(small)).toBe(true)
      expect((await files.list(scope, { limit: 10, order: 'desc' })).files).toHaveLength(1)
      expect(await inTheClear(scope)).toEqual([])
      if (survived) break
      expect(endsAt).toBeLessThan(60)
    }
    // What the killed ones wrote of contents goes with the sweep.
    await sweptThrough(TAKING_MS_MAX)
  })

  it('when the tenant goes', async () => {
    const scope = await newTenant()
    const { blob } = await begun(scope)
    await written(blob)
    await blob.getBlobLeaseClient().acquireLease(-1)
    const uncommitted = await begun(scope)
    await uncommitted.blob.stageBlock(blockId(0), 'text', 4)
    await places.empty(scope, { kind: 'logical' })
    expect(await inTheClear(scope)).toEqual([])
    expect(await places.census(scope, { kind: 'logical' })).toEqual({})
  })
})
