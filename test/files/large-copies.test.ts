import { hash, randomBytes } from 'node:crypto'
import { systemClock } from '../../src/base/clock'
import type { FileId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import type { FilesSlice } from '../../src/files/assemble-files'
import { CLEARING_MARGIN_MS, LENT_MS } from '../../src/files/file-bounds'
import type { StageResult } from '../../src/files/files'
import { emptyShelf, type Shelf } from '../../src/files/shelf'
import type { Backend } from '../../src/routing/backend'
import { fromJsonColumns } from '../../src/storage/json-columns'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { eventually } from '../conformance/eventually'
import { handClock } from '../harness/hand-clock'
import { runningSimulator } from '../local/simulator/running'
import { Life } from './dying'
import { filesParts, LARGE_BYTES_MIN, pieces, wholeOf } from './files-parts'

const simulator = runningSimulator()
const clock = handClock(systemClock.now())
const parts = filesParts(clock)
const { storage, files, copies, accounts, newTenant } = parts
beforeAll(parts.prepare, 30_000)
afterAll(parts.close)

const backend = (): Backend => ({
  id: 'bke_1',
  name: 'simulated',
  api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
  endpoint: simulator.url(''),
  deployment: 'gpt-4.1-mini',
  credential: { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' },
  region: 'local',
  capacity: 'payg',
  enabled: true,
})
const staging = { owner: 'ftjob-1', purpose: 'fine-tune' } as const
/** More than what is written to storage at once. */
const content = randomBytes(5 * 1024 * 1024)
const contentHash = hash('sha256', content)

async function made(scope: TenantScope, bytes = content): Promise<FileId> {
  const file = await files.create(scope, { filename: 'a', purpose: 'fine-tune', createdBy: undefined }, pieces(bytes))
  if (file instanceof Problem) throw new Error(file.public)
  return file.id
}
const stage = (scope: TenantScope, id: FileId, slice: FilesSlice = parts): Promise<StageResult> =>
  slice.files.stage(scope, id, backend(), staging)
/** Asked for as a job's step asks: again while it is not there. */
const staged = (scope: TenantScope, id: FileId) =>
  eventually('the copy is there', async () => {
    const result = await stage(scope, id)
    if (result.kind === 'refused' || result.kind === 'missing') throw new Error(`it is ${result.kind}`)
    return result.kind === 'staged' ? result.id : undefined
  })
const hashAtAccount = async (id: string) => {
  const found = await accounts.content(backend(), id)
  return found.kind === 'content' ? hash('sha256', await wholeOf(found.content)) : found.kind
}
const keptThere = async () => {
  const answer = await simulator.send('GET', '/openai/v1/files')
  return ((await answer.json()) as { data: { id: string }[] }).data.map(({ id }) => id)
}
const inTheClear = async (scope: TenantScope) => {
  const names: string[] = []
  const all = { prefix: `${scope.tenantId}/`, includeUncommitedBlobs: true }
  for await (const { name } of storage.container('tenant-outgoing').listBlobsFlat(all)) names.push(name)
  return names
}
const underWay = async (scope: TenantScope) => {
  const row = await tenantTable(storage.table('files')).get(scope, 'shelf')
  return Object.values((row ? fromJsonColumns<Shelf>(row.columns) : emptyShelf).underWay).map(({ kind }) => kind)
}
const faults = (rules: object) =>
  simulator.patch({
    storedFaults: { 'files.create': [], 'files.import': [], 'uploads.create': [], 'uploads.parts': [], ...rules },
  })
/** Every operation of files and uploads that the account has served since. */
async function asked(since: number) {
  const { records } = await simulator.ledger(since)
  return new Set(records.map(({ operation }) => operation))
}
const lastOf = async () => (await simulator.ledger()).records.at(-1)?.n ?? 0
afterEach(() => faults({}))

describe('a large copy', () => {
  it('is fetched by its account from the tenant’s own place, and never sent in one request', async () => {
    const scope = await newTenant()
    const since = await lastOf()
    const file = await made(scope)
    const id = await staged(scope, file)
    expect(await hashAtAccount(id)).toBe(contentHash)
    const operations = await asked(since)
    expect(operations).toContain('files.import')
    expect(operations).not.toContain('files.create')
    expect(await inTheClear(scope)).toEqual([])
    expect(await underWay(scope)).toEqual([])
    expect(await stage(scope, file)).toEqual({ kind: 'staged', id })
    await files.unstage(scope, staging.owner)
    expect(await keptThere()).toEqual([])
  })

  it('of a smaller file is sent in one request', async () => {
    const scope = await newTenant()
    const since = await lastOf()
    await staged(scope, await made(scope, content.subarray(0, LARGE_BYTES_MIN - 1)))
    expect([...(await asked(since))]).toEqual(['files.create'])
    await files.unstage(scope, staging.owner)
  })

  it.each([
    ['knows no imports', { 'files.import': [{ kind: 'status:404', next: 10 }] }],
    ['takes none', { 'files.import': [{ kind: 'status:400', next: 10 }] }],
  ])('is sent in parts to an account that %s', async (_, rules) => {
    const scope = await newTenant()
    const since = await lastOf()
    await faults(rules)
    const id = await staged(scope, await made(scope))
    expect(await hashAtAccount(id)).toBe(contentHash)
    expect(await asked(since)).toContain('uploads.complete')
    expect(await asked(since)).not.toContain('files.create')
    expect(await inTheClear(scope)).toEqual([])
    await files.unstage(scope, staging.owner)
    expect(await keptThere()).toEqual([])
  })

  it('is sent in parts where its account could not read the address, as behind a firewall', async () => {
    const scope = await newTenant()
    const file = await made(scope)
    // As if the account were kept from the address.
    const withdrawing = parts.another({
      ...storage,
      signedBlob: async (...args) => (await storage.signedBlob(...args)).replace(/sig=[^&]+/, 'sig=wrong'),
    })
    expect((await stage(scope, file, withdrawing)).kind).toBe('processing')
    const id = await staged(scope, file)
    expect(await hashAtAccount(id)).toBe(contentHash)
    expect(await keptThere()).toEqual([id])
    expect(await inTheClear(scope)).toEqual([])
    await files.unstage(scope, staging.owner)
    expect(await keptThere()).toEqual([])
  })

  it('is sent part by part, and a part again where its answer was lost', async () => {
    const scope = await newTenant()
    await faults({
      'files.import': [{ kind: 'status:404', next: 10 }],
      'uploads.parts': [{ kind: 'status:503', next: 2 }],
    })
    expect(await hashAtAccount(await staged(scope, await made(scope)))).toBe(contentHash)
    await files.unstage(scope, staging.owner)
  })

  it('that is no longer wanted goes while the account still reads', async () => {
    await simulator.patch({ files: { processingMs: 60_000 } })
    const scope = await newTenant()
    const file = await made(scope)
    expect((await stage(scope, file)).kind).toBe('processing')
    expect(await inTheClear(scope)).toHaveLength(1)
    await simulator.patch({ files: { processingMs: 0 } })
    expect(await files.unstage(scope, staging.owner)).toEqual({ kind: 'gone' })
    expect(await inTheClear(scope)).toEqual([])
    expect(await keptThere()).toEqual([])
    expect(await underWay(scope)).toEqual([])
  })

  it('is one, and nothing is left in the clear, when who brings it is killed at any request to storage', async () => {
    const scope = await newTenant()
    const large = content.subarray(0, LARGE_BYTES_MIN)
    const file = await made(scope, large)
    for (let endsAt = 1; ; endsAt++) {
      const dying = parts.another(new Life(endsAt).storage(storage))
      const survived = await stage(scope, file, dying).then(
        () => true,
        () => false,
      )
      // Whoever goes on with it finds the account's file, if there is one, or brings another.
      const id = await staged(scope, file)
      expect(await keptThere()).toEqual([id])
      expect(await hashAtAccount(id)).toBe(hash('sha256', large))
      expect(await inTheClear(scope)).toEqual([])
      expect(await files.unstage(scope, staging.owner)).toEqual({ kind: 'gone' })
      expect(await keptThere()).toEqual([])
      if (survived) break
      expect(endsAt).toBeLessThan(60)
    }
    expect(await copies.count(scope)).toBe(0)
  })

  it('that nobody goes on with is taken back by the sweep', async () => {
    await faults({ 'files.import': [{ kind: 'cut', next: 1 }] })
    const scope = await newTenant()
    expect((await stage(scope, await made(scope))).kind).toBe('unsure')
    expect(await inTheClear(scope)).toHaveLength(1)
    await clock.advance(LENT_MS + CLEARING_MARGIN_MS + 1)
    await parts.sweep()
    expect(await inTheClear(scope)).toEqual([])
    expect(await underWay(scope)).toEqual([])
    await faults({})
    await files.unstage(scope, staging.owner)
  })
})
