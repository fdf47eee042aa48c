import { hash, randomBytes } from 'node:crypto'
import { systemClock } from '../../src/base/clock'
import type { FileId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import type { FilesSlice } from '../../src/files/assemble-files'
import { CHUNK_BYTES, CLEARING_MARGIN_MS } from '../../src/files/file-bounds'
import type { Staging } from '../../src/files/files'
import type { Backend } from '../../src/routing/backend'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { handClock } from '../harness/hand-clock'
import { runningSimulator } from '../local/simulator/running'
import { Life } from './dying'
import { filesParts, pieces, wholeOf } from './files-parts'

const simulator = runningSimulator()
const clock = handClock(systemClock.now())
const parts = filesParts(clock)
const { storage, files, copies, accounts, newTenant, ids } = parts
beforeAll(parts.prepare, 30_000)
afterAll(parts.close)

const backend = (more: Partial<Backend> = {}): Backend => ({
  id: 'bke_1',
  name: 'simulated',
  api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
  endpoint: simulator.url(''),
  deployment: 'gpt-4.1-mini-batch',
  credential: { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' },
  region: 'local',
  capacity: 'payg',
  enabled: true,
  ...more,
})

const content = Buffer.from(randomBytes(CHUNK_BYTES).toString('base64'))
async function made(scope: TenantScope): Promise<FileId> {
  const file = await files.create(scope, { filename: 'a', purpose: 'batch', createdBy: undefined }, pieces(content))
  if (file instanceof Problem) throw new Error(file.public)
  return file.id
}
const staging = (owner = 'batch_1', more: Partial<Staging> = {}): Staging => ({ owner, purpose: 'batch', ...more })

async function staged(scope: TenantScope, id: FileId, how = staging(), slice: FilesSlice = parts) {
  const result = await slice.files.stage(scope, id, backend(), how)
  if (result.kind !== 'staged') throw new Error(`${result.kind} is not staged`)
  return result.id
}
const digestOf = (bytes: Uint8Array) => hash('sha256', bytes)
const atAccount = async (id: string) => {
  const found = await accounts.content(backend(), id)
  return found.kind === 'content' ? digestOf(await wholeOf(found.content)) : found.kind
}
const keptThere = async () => {
  const answer = await simulator.send('GET', '/openai/v1/files')
  return ((await answer.json()) as { data: { id: string; filename: string; expires_at?: number }[] }).data
}
/** In place of those before: what a patch does not name stays. */
const faults = (rules: object) =>
  simulator.patch({ storedFaults: { 'files.create': [], 'files.delete': [], ...rules } })
afterEach(() => faults({}))

describe('a copy at an account', () => {
  it('has the file’s content and none of its name, and ends by itself if nobody deletes it', async () => {
    const scope = await newTenant()
    const id = await staged(scope, await made(scope))
    expect(await atAccount(id)).toBe(digestOf(content))
    expect(await keptThere()).toMatchObject([
      { id, filename: expect.stringMatching(/^tenantry-\w{26}\.jsonl$/), expires_at: expect.any(Number) },
    ])
    expect(await files.unstage(scope, 'batch_1')).toEqual({ kind: 'gone' })
    expect(await keptThere()).toEqual([])
    expect(await copies.count(scope)).toBe(0)
  })

  it('has what a transformation makes of the content', async () => {
    const scope = await newTenant()
    const transform: Staging['transform'] = async function* (pieces) {
      for await (const piece of pieces) yield Buffer.from(piece.toString('latin1').toLowerCase())
    }
    const id = await staged(scope, await made(scope), staging('batch_1', { transform }))
    expect(await atAccount(id)).toBe(digestOf(Buffer.from(content.toString().toLowerCase())))
    await files.unstage(scope, 'batch_1')
  })

  it('is one for each owner, however often it is asked for', async () => {
    const scope = await newTenant()
    const file = await made(scope)
    const [first, again, other] = [
      await staged(scope, file),
      await staged(scope, file),
      await staged(scope, file, staging('batch_2')),
    ]
    expect(again).toBe(first)
    expect(other).not.toBe(first)
    await files.unstage(scope, 'batch_1')
    expect((await keptThere()).map(({ id }) => id)).toEqual([other])
    await files.unstage(scope, 'batch_2')
    expect(await keptThere()).toEqual([])
  })

  it('that the account has lost is sent again', async () => {
    const scope = await newTenant()
    const file = await made(scope)
    await accounts.remove(backend(), await staged(scope, file))
    expect(await atAccount(await staged(scope, file))).toBe(digestOf(content))
    await files.unstage(scope, 'batch_1')
    expect(await keptThere()).toEqual([])
  })

  it('is waited for while the account looks through it', async () => {
    await simulator.patch({ files: { processingMs: 60_000 } })
    const scope = await newTenant()
    const file = await made(scope)
    expect(await files.stage(scope, file, backend(), staging())).toMatchObject({ kind: 'processing' })
    await simulator.patch({ files: { processingMs: 0 } })
    expect(await files.stage(scope, file, backend(), staging())).toMatchObject({ kind: 'processing' })
    await files.unstage(scope, 'batch_1')
    expect(await keptThere()).toEqual([])
  })

  it.each([
    ['a server that fails', () => faults({ 'files.create': [{ kind: 'status:500', next: 1 }] }), {}],
    ['a credential that is refused', async () => {}, { credential: { kind: 'none' } as const }],
    ['an account that is not reached', async () => {}, { endpoint: 'http://127.0.0.1:1' }],
  ])('may come later: %s', async (_, break_, more) => {
    const scope = await newTenant()
    const file = await made(scope)
    await break_()
    expect(await files.stage(scope, file, backend(more), staging())).toMatchObject({ kind: 'unsure' })
    await faults({})
  })

  it('of a file that is not there, or is another tenant’s, is missing', async () => {
    const [scope, other] = [await newTenant(), await newTenant()]
    const file = await made(scope)
    expect(await files.stage(other, file, backend(), staging())).toEqual({ kind: 'missing' })
    expect(await files.stage(scope, ids.fileId(), backend(), staging())).toEqual({ kind: 'missing' })
    expect(await keptThere()).toEqual([])
  })
})

describe('nothing is left at an account', () => {
  it('when who sends a copy is killed at any request to storage', async () => {
    for (let endsAt = 1; ; endsAt++) {
      const scope = await newTenant()
      const file = await made(scope)
      const life = new Life(endsAt)
      const dying = parts.another(life.storage(storage))
      const survived = await dying.files.stage(scope, file, backend(), staging()).then(
        () => true,
        () => false,
      )
      // Whoever goes on with it sends it whole.
      expect(await atAccount(await staged(scope, file))).toBe(digestOf(content))
      expect(await files.unstage(scope, 'batch_1')).toEqual({ kind: 'gone' })
      expect(await keptThere()).toEqual([])
      if (survived) break
      expect(endsAt).toBeLessThan(50)
    }
  })

  it('when the answer to its sending was lost', async () => {
    const scope = await newTenant()
    const file = await made(scope)
    await faults({ 'files.create': [{ kind: 'cut', next: 1 }] })
    expect((await files.stage(scope, file, backend(), staging())).kind).not.toBe('staged')
    await faults({})
    await files.unstage(scope, 'batch_1')
    expect(await keptThere()).toEqual([])
  })

  it('when two send the same one at once', async () => {
    const scope = await newTenant()
    const file = await made(scope)
    const both = await Promise.all([0, 1].map(() => files.stage(scope, file, backend(), staging())))
    expect(both.map(({ kind }) => kind)).toContain('staged')
    expect((await keptThere()).length).toBeLessThanOrEqual(2)
    await files.unstage(scope, 'batch_1')
    expect(await keptThere()).toEqual([])
  })

  it('when the file is deleted, or its tenant', async () => {
    const scope = await newTenant()
    const [one, two] = [await made(scope), await made(scope)]
    await staged(scope, one)
    await staged(scope, two)
    await files.remove(scope, one)
    expect(await keptThere()).toHaveLength(1)
    expect(await copies.removeAll(scope)).toEqual({ kind: 'gone' })
    expect(await keptThere()).toEqual([])
    expect(await copies.count(scope)).toBe(0)
  })

  it('in the end, where its account did not answer when the file was deleted', async () => {
    const scope = await newTenant()
    const file = await made(scope)
    await staged(scope, file)
    await faults({ 'files.delete': [{ kind: 'status:503', next: 1 }] })
    expect(await files.remove(scope, file)).toBe(true)
    expect(await files.get(scope, file)).toBeUndefined()
    expect(await keptThere()).toHaveLength(1)
    await clock.advance(CLEARING_MARGIN_MS + 1)
    await parts.sweep()
    expect(await keptThere()).toEqual([])
    expect(await copies.count(scope)).toBe(0)
  })
})
