import { systemClock } from '../../src/base/clock'
import type { DatasetId, FileId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { FAULTS_KEPT_MAX, FAULTS_PAGE } from '../../src/datasets/dataset-bounds'
import type { NewDataset } from '../../src/datasets/datasets'
import { FaultPages } from '../../src/datasets/fault-pages'
import type { Fault } from '../../src/datasets/fault-list'
import { faultsCsv } from '../../src/datasets/faults-csv'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { Life } from '../files/dying'
import { filesParts, pieces } from '../files/files-parts'
import { supervised } from './dataset-parts'

const parts = filesParts(systemClock)
const { storage, files, datasets, checkedFiles, ids, newTenant } = parts
beforeAll(parts.prepare, 30_000)
afterAll(parts.close)

const BASE = 'gpt-4.1-2025-04-14'
async function uploaded(scope: TenantScope, lines: readonly string[], purpose: 'fine-tune' | 'batch' = 'fine-tune') {
  const meta = { filename: 'train.jsonl', purpose, createdBy: undefined }
  const file = await files.create(scope, meta, pieces(lines.map((line) => `${line}\n`).join('')))
  if (file instanceof Problem) throw new Error(file.public)
  return file.id
}
const asked = (fileId: FileId, more: Partial<NewDataset> = {}): NewDataset => ({
  id: ids.datasetId(),
  fileId,
  baseModel: BASE,
  role: 'training',
  trainingType: 'standard',
  hasConsent: false,
  ...more,
})
async function registered(scope: TenantScope, wanted: NewDataset): Promise<DatasetId> {
  const dataset = await datasets.create(scope, 'key_0', wanted)
  if (dataset instanceof Problem) throw new Error(dataset.public)
  return dataset.id
}
async function validated(scope: TenantScope, wanted: NewDataset) {
  const id = await registered(scope, wanted)
  const dataset = await datasets.validate(scope, id)
  if (dataset?.state.kind !== 'validated') throw new Error(`it is ${dataset?.state.kind}`)
  return { id, ...dataset.state.summary }
}
/** What of the tenant's contents is read from now on. */
const reading = (scope: TenantScope) => {
  const read = jest.spyOn(files, 'read')
  return {
    times: () => read.mock.calls.filter(([reader]) => reader.tenantId === scope.tenantId).length,
    [Symbol.dispose]: () => read.mockRestore(),
  }
}
const recordsOf = async (scope: TenantScope) => {
  const found: string[] = []
  for await (const id of parts.records.ids(scope, 'dataset')) found.push(id)
  return found
}

describe('a dataset', () => {
  it('is registered of a file, and validated with all that a job would want to know', async () => {
    const scope = await newTenant()
    const lines = [...supervised(20), ...supervised(1)]
    const { id, ...summary } = await validated(scope, asked(await uploaded(scope, lines)))
    expect(summary).toMatchObject({ valid: true, errors: 0, examples: 21, piiLines: 0 })
    expect(summary.contentHash).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(await datasets.report(scope, id)).toMatchObject({ epochs: 4, duplicates: { exact: { lines: 1 } } })
  })

  it('says every fault that its file has, page by page, and not the first hundred of a kind', async () => {
    const scope = await newTenant()
    const lines = Array.from({ length: 2 * FAULTS_PAGE + 5 }, (_, n) => `{"messages":[],"n":${n}}`)
    const { id, faultsKept, errors } = await validated(scope, asked(await uploaded(scope, lines)))
    const faults: Fault[] = []
    for (let after = 0; after < faultsKept; after = faults.length)
      faults.push(...(await datasets.faults(scope, id, { after, limit: 700 })))
    expect(faults).toHaveLength(errors)
    expect(new Set(faults.map(({ line }) => line)).size).toBe(lines.length + 1)
    expect(faults.filter(({ code }) => code === 'messages_empty')).toHaveLength(lines.length)
    for (const fault of faults) expect([fault.reason, fault.valid]).not.toContain('')
  })

  it.each([
    ['a file of another tenant', async () => asked(await uploaded(await newTenant(), supervised(10)))],
    ['a file that never was', async () => asked(ids.fileId())],
    ['a file for something else', async (scope: TenantScope) => asked(await uploaded(scope, supervised(10), 'batch'))],
    [
      'a model that cannot be trained',
      async (scope: TenantScope) => asked(await uploaded(scope, supervised(10)), { baseModel: 'gpt-9' }),
    ],
    [
      'a method that the model does not have',
      async (scope: TenantScope) => asked(await uploaded(scope, supervised(10)), { method: 'reinforcement' }),
    ],
    [
      'validation data that is not there',
      async (scope: TenantScope) => asked(await uploaded(scope, supervised(10)), { validationId: ids.datasetId() }),
    ],
  ])('cannot be registered with %s', async (_, wanted) => {
    const scope = await newTenant()
    expect(await datasets.create(scope, 'key_0', await wanted(scope))).toMatchObject({ code: 'invalid_request' })
    expect(await recordsOf(scope)).toEqual([])
  })

  it('whose file was deleted before it was read says so', async () => {
    const scope = await newTenant()
    const fileId = await uploaded(scope, supervised(10))
    const id = await registered(scope, asked(fileId))
    await files.remove(scope, fileId)
    expect(await datasets.validate(scope, id)).toMatchObject({ state: { kind: 'failed', code: 'file_not_found' } })
  })

  it('goes with everything that was kept beside it', async () => {
    const scope = await newTenant()
    const lines = Array.from({ length: FAULTS_PAGE + 5 }, () => '{}')
    const { id } = await validated(scope, asked(await uploaded(scope, lines)))
    expect((await recordsOf(scope)).length).toBeGreaterThan(3)
    expect(await datasets.remove(scope, id)).toBe(true)
    expect(await datasets.remove(scope, id)).toBe(false)
    expect(await recordsOf(scope)).toEqual([])
  })

  it('of another tenant is one that never was', async () => {
    const [scope, other] = [await newTenant(), await newTenant()]
    const { id } = await validated(scope, asked(await uploaded(scope, supervised(10))))
    const own = await validated(other, asked(await uploaded(other, supervised(10)), { role: 'validation' }))
    expect(await datasets.get(other, id)).toBeUndefined()
    expect(await datasets.report(other, id)).toBeUndefined()
    expect(await datasets.faults(other, id, { after: 0, limit: 10 })).toEqual([])
    expect(await datasets.leakage(other, id, own.id)).toBeUndefined()
    expect(await datasets.leakage(scope, id, own.id)).toMatchObject({ code: 'invalid_request' })
    expect(await datasets.consent(other, id, 'key_0')).toBeUndefined()
    expect(await datasets.validate(other, id)).toBeUndefined()
    expect(await datasets.remove(other, id)).toBe(false)
    expect(await datasets.page(other, { after: id, limit: 10 })).toMatchObject({ hasMore: false })
    expect(await datasets.get(scope, id)).toMatchObject({ state: { kind: 'validated' } })
  })

  it('is validated once and the same way, when who does it is killed at any request to storage', async () => {
    const lines = [...supervised(12), '{"messages":[]}']
    for (let endsAt = 1; ; endsAt++) {
      const scope = await newTenant()
      const id = await registered(scope, asked(await uploaded(scope, lines)))
      const dying = parts.another(new Life(endsAt).storage(storage))
      const survived = await dying.datasets.validate(scope, id).then(
        () => true,
        () => false,
      )
      expect(await datasets.validate(scope, id)).toMatchObject({
        state: { kind: 'validated', summary: { errors: 1, examples: 12, faultsKept: 1 } },
      })
      expect(await datasets.faults(scope, id, { after: 0, limit: 10 })).toHaveLength(1)
      if (survived) break
      expect(endsAt).toBeLessThan(60)
    }
  })
})

describe('leakage', () => {
  it('is told of the lines that are both trained on and validated with, and kept with the training data', async () => {
    const scope = await newTenant()
    const training = await validated(scope, asked(await uploaded(scope, supervised(20))))
    const held = asked(await uploaded(scope, supervised(12, 15)), { role: 'validation' })
    const validation = await validated(scope, held)
    const found = await datasets.leakage(scope, training.id, validation.id)
    expect(found).toMatchObject({ leaked: { lines: 5, margin: 0 }, validationId: validation.id })
    expect(await datasets.get(scope, training.id)).toMatchObject({ leakage: { leaked: { lines: 5 } } })
    expect(await datasets.leakage(scope, validation.id, training.id)).toMatchObject({ code: 'invalid_request' })
  })

  it('waits until both are read', async () => {
    const scope = await newTenant()
    const training = await validated(scope, asked(await uploaded(scope, supervised(20))))
    const unread = await registered(scope, asked(await uploaded(scope, supervised(20)), { role: 'validation' }))
    expect(await datasets.leakage(scope, training.id, unread)).toMatchObject({ code: 'conflict' })
  })
})

describe('consent', () => {
  it('holds for the files for which it was given, by whom and when, and until it is withdrawn', async () => {
    const scope = await newTenant()
    const [one, two] = [await uploaded(scope, supervised(10)), await uploaded(scope, supervised(10, 10))]
    const id = await registered(scope, asked(one, { hasConsent: true }))
    const other = await registered(scope, asked(two))
    expect(await datasets.consentFor(scope, [one])).toMatchObject({ purpose: 'fine-tuning', by: 'key_0' })
    expect(await datasets.consentFor(scope, [one, two])).toBeUndefined()
    const given = await datasets.consent(scope, other, 'key_1')
    expect(await datasets.consent(scope, other, 'key_2')).toEqual(given)
    expect(await datasets.consentFor(scope, [one, two])).toBeDefined()
    await datasets.consent(scope, id, null)
    expect(await datasets.consentFor(scope, [one])).toBeUndefined()
    expect(await datasets.consentFor(scope, [two])).toMatchObject({ by: 'key_1' })
  })
})

describe('a job’s file', () => {
  const wanted = (fileId: FileId, more: object = {}) => ({
    fileId,
    by: 'key_0' as const,
    method: 'supervised' as const,
    baseModel: BASE,
    role: 'training' as const,
    trainingType: 'standard' as const,
    epochs: undefined,
    ...more,
  })
  const checked = async (scope: TenantScope, fileId: FileId, more: object = {}) => {
    const found = await checkedFiles.check(scope, wanted(fileId, more))
    if (found.kind !== 'checked') throw new Error(`it is ${found.kind}`)
    return found
  }

  it('that was validated is not read again, and has the figures of this job', async () => {
    const scope = await newTenant()
    const fileId = await uploaded(scope, supervised(20))
    const { id } = await validated(scope, asked(fileId))
    using read = reading(scope)
    const again = await checked(scope, fileId, { baseModel: 'gpt-4.1', trainingType: 'globalstandard', epochs: 7 })
    expect(read.times()).toBe(0)
    expect(again.dataset?.id).toBe(id)
    expect(again.report).toMatchObject({ epochs: 7, baseModel: 'gpt-4.1', price: { kind: 'tokens', epochs: 7 } })
    // More than any job may train.
    const excess = await checked(scope, fileId, { epochs: 10_000_000 })
    expect(excess.report).toMatchObject({ valid: false, faults: { countByCode: { trained_tokens_above_limit: 1 } } })
    expect(read.times()).toBe(0)
  })

  it('of the same bytes as one that was validated is not read either, by whatever id', async () => {
    const scope = await newTenant()
    await validated(scope, asked(await uploaded(scope, supervised(20))))
    using read = reading(scope)
    await checked(scope, await uploaded(scope, supervised(20)))
    expect(read.times()).toBe(0)
    await checked(scope, await uploaded(scope, supervised(21)))
    expect(read.times()).toBe(1)
  })

  it('that nobody registered is read once, and is a dataset from then on', async () => {
    const scope = await newTenant()
    const fileId = await uploaded(scope, [...supervised(20), '{}'])
    const first = await checked(scope, fileId)
    using read = reading(scope)
    const second = await checked(scope, fileId)
    expect(read.times()).toBe(0)
    expect(second.report).toEqual(first.report)
    expect((await datasets.page(scope, { after: undefined, limit: 10 })).datasets).toMatchObject([
      { id: first.dataset?.id, origin: 'job', state: { summary: { errors: 1 } } },
    ])
    expect(await datasets.consentFor(scope, [fileId])).toBeUndefined()
  })

  it('is read anew for another method, another family of models or another role', async () => {
    const scope = await newTenant()
    const fileId = await uploaded(scope, supervised(20))
    await checked(scope, fileId)
    for (const more of [{ method: 'dpo' }, { baseModel: 'gpt-4o-2024-08-06' }, { role: 'validation' }]) {
      using read = reading(scope)
      await checked(scope, fileId, more)
      expect(read.times()).toBe(1)
    }
  })

  it('is waited for while it is being validated, and is missing where it was deleted', async () => {
    const scope = await newTenant()
    const fileId = await uploaded(scope, supervised(20))
    const id = await registered(scope, asked(fileId))
    expect(await checkedFiles.check(scope, wanted(fileId))).toEqual({ kind: 'busy' })
    await datasets.validate(scope, id)
    expect((await checkedFiles.check(scope, wanted(fileId))).kind).toBe('checked')
    await files.remove(scope, fileId)
    expect(await checkedFiles.check(scope, wanted(fileId))).toEqual({ kind: 'missing' })
  })

  it('is compared with its validation file', async () => {
    const scope = await newTenant()
    const training = await checked(scope, await uploaded(scope, supervised(20)))
    const validation = await checked(scope, await uploaded(scope, supervised(12, 15)), { role: 'validation' })
    expect(await checkedFiles.compare(scope, { training, validation })).toMatchObject({ leaked: { lines: 5 } })
    expect(await datasets.get(scope, training.dataset?.id ?? 'dts_')).toMatchObject({
      leakage: { leaked: { lines: 5 } },
    })
  })
})

describe('faults', () => {
  const fault = (line: number, more: Partial<Fault> = {}): Fault => ({
    code: 'unknown_key',
    severity: 'error',
    line,
    byteOffset: 0,
    path: '',
    reason: 'why',
    valid: 'what',
    ...more,
  })

  it('are kept up to a bound, in whole pages, and no more than a page of them is held', async () => {
    const put: number[] = []
    const pages = new FaultPages(async (page, faults) => {
      expect(page).toBe(put.length)
      put.push(faults.length)
    })
    for (let line = 1; line <= FAULTS_KEPT_MAX + 10; line++) {
      pages.sink(fault(line))
      if (pages.isFull) await pages.flush()
    }
    await pages.end()
    expect(put).toEqual(Array.from({ length: FAULTS_KEPT_MAX / FAULTS_PAGE }, () => FAULTS_PAGE))
    expect(pages.kept).toBe(FAULTS_KEPT_MAX)
  })

  it('are a table in which nothing is a formula and every cell is one', () => {
    const csv = faultsCsv([
      fault(1, { path: '=HYPERLINK("http://x")', reason: 'a, "b"\nc', byteOffset: 7 }),
      fault(2, { line: undefined, byteOffset: undefined, path: '@x' }),
    ])
    expect(csv).toBe(
      'line,byteOffset,severity,code,path,reason,valid\r\n' +
        `1,7,error,unknown_key,"'=HYPERLINK(""http://x"")","a, ""b""\nc",what\r\n` +
        `,,error,unknown_key,'@x,why,what\r\n`,
    )
  })
})
