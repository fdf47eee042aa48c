import { Problem } from '../../src/base/problem'
import { decryptArchive } from '../../src/offboarding/archive-cipher'
import { createExporter } from '../../src/offboarding/exporter'
import { offboardingStorage } from '../../src/offboarding/offboardings'
import { removeExpiredExports } from '../../src/offboarding/remove-expired-exports'
import { findExport, showExport } from '../../src/offboarding/show-export'
import { TenantScope } from '../../src/storage/tenant-scope'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { lifecycleParts } from './lifecycle-parts'

const HOUR_MS = 3_600_000
const storage = freshStorage()
beforeAll(() => storage.ensure(offboardingStorage))

/** A tenant with an export behind its link, on a clock that stands still. */
async function anExport(clock = handClock(Date.UTC(2026, 5, 1))) {
  const { ids, chance, wrappingKey, offboardings } = lifecycleParts(storage, clock)
  const container = storage.container('exports')
  const exporter = createExporter({
    container,
    secret: 'a secret of the installation, for tests',
    wrappingKey,
    validMs: HOUR_MS,
    clock,
    chance,
    filesOf: async function* () {
      yield {
        name: 'a.txt',
        content: (async function* () {
          yield Buffer.from('what was the tenant’s')
        })(),
      }
    },
  })
  const scope = TenantScope.ofPlatform(ids.tenantId())
  const { tenantId } = scope
  await offboardings.begin({ tenantId, requestedBy: 'a test', frozenAt: clock.now(), removed: {}, dataKeyVersions: [] })
  const made = await exporter.make(scope)
  await offboardings.change(tenantId, (offboarding) => ({ ...offboarding, export: made }))
  const deps = { offboardings, exporter, clock }
  const blobs = async () => {
    const names: string[] = []
    for await (const { name } of container.listBlobsFlat({ prefix: `${tenantId}/` })) names.push(name)
    return names
  }
  return { deps, scope, tenantId, made, clock, token: exporter.token(tenantId), blobs }
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}
const codeOf = (answer: unknown) => (answer instanceof Problem ? answer.code : 'shown')

describe('the link of an export', () => {
  it('shows the key that opens the archive', async () => {
    const { deps, token } = await anExport()
    const shown = await showExport(deps, token)
    if (shown instanceof Problem) throw new Error(shown.public)
    const archive = await deps.exporter.read(shown.made)
    const zip = await whole(decryptArchive(Buffer.from(shown.key, 'base64url'), archive))
    expect(zip.subarray(0, 2).toString()).toBe('PK')
  })

  it('shows it to one of many who ask at the same moment', async () => {
    const { deps, token } = await anExport()
    const answers = await Promise.all(Array.from({ length: 4 }, () => showExport(deps, token)))
    expect(answers.map(codeOf).sort()).toEqual(['link_used_up', 'link_used_up', 'link_used_up', 'shown'])
  })

  it('leaves nothing behind by which the platform could open the archive once it was shown', async () => {
    const { deps, token, tenantId } = await anExport()
    expect((await deps.offboardings.get(tenantId))?.export?.wrappedKey).toBeDefined()
    await showExport(deps, token)
    expect((await deps.offboardings.get(tenantId))?.export).toMatchObject({ bytes: expect.any(Number) })
    expect((await deps.offboardings.get(tenantId))?.export?.wrappedKey).toBeUndefined()
  })

  it('is of no use to whoever has it for another tenant, or makes one up', async () => {
    const [mine, other] = [await anExport(), await anExport()]
    const swapped = `exp_${mine.tenantId.slice(4)}_${other.token.slice(-43)}`
    expect(codeOf(await showExport(mine.deps, swapped))).toBe('not_found')
    expect(codeOf(await showExport(mine.deps, `${mine.token}x`))).toBe('not_found')
    expect(await findExport(mine.deps, swapped)).toBeUndefined()
    expect(codeOf(await showExport(mine.deps, mine.token))).toBe('shown')
  })

  it('and the archive are void the moment that they expire', async () => {
    const { deps, token, clock } = await anExport()
    await clock.advance(HOUR_MS - 1)
    expect(await findExport(deps, token)).toBeDefined()
    await clock.advance(1)
    expect(codeOf(await showExport(deps, token))).toBe('link_used_up')
    expect(await findExport(deps, token)).toBeUndefined()
  })
})

describe('an expired export', () => {
  it('is deleted with its key, and no other is', async () => {
    const { deps, tenantId, clock, blobs, made } = await anExport()
    expect(await removeExpiredExports(deps)).toBe(0)
    expect(await blobs()).toEqual([made.blob])
    await clock.advance(HOUR_MS - 1)
    await removeExpiredExports(deps)
    expect(await blobs()).toEqual([made.blob])
    await clock.advance(1)
    const young = await anExport(clock)
    await removeExpiredExports(deps)
    expect(await blobs()).toEqual([])
    expect((await deps.offboardings.get(tenantId))?.export?.wrappedKey).toBeUndefined()
    await removeExpiredExports(young.deps)
    expect(await young.blobs()).toEqual([young.made.blob])
  })

  it('is deleted too when it is an attempt that no offboarding knows of', async () => {
    const { deps, scope, clock, blobs, made, tenantId } = await anExport()
    const lost = await deps.exporter.make(scope)
    expect(lost.blob).not.toBe(made.blob)
    await clock.advance(HOUR_MS)
    await deps.exporter.remove(made.blob)
    await removeExpiredExports(deps)
    expect(await blobs()).toEqual([])
    expect(await deps.offboardings.get(tenantId)).toMatchObject({ export: { blob: made.blob } })
  })
})
