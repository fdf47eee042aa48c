import { systemChance } from '../../../src/base/chance'
import { createIdMaker } from '../../../src/base/ids'
import type { TenantScope } from '../../../src/storage/tenant-scope'
import { createTenant, expectStatus } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'
import { keepDataset, openUpload } from '../dataset-fixtures'
import { sealingScope } from '../tuned-fixtures'

/** Datasets and uploads as the tenant API shows them: each answer is held against the API's own document on its way. */
let server: ControlPlaneServer
let apiKey: string
let scope: TenantScope
beforeAll(async () => {
  server = await serveControlPlane()
  const tenant = await createTenant(server)
  apiKey = tenant.apiKey
  scope = await sealingScope(server, tenant.tenantId)
})
afterAll(() => server.close())

const DATASETS = '/api/tenant/datasets'
const call = async (method: string, path: string, status: number, body?: object) =>
  expectStatus(await server.send(method, path, { apiKey, ...(body ? { body } : {}) }), status)

describe('a dataset', () => {
  it('is listed and shown with what lists need, and reported whole, page by page', async () => {
    const id = await keepDataset(server, scope)
    const shown = await call('GET', `${DATASETS}/${id}`, 200)
    expect(shown.body).toMatchObject({ id, state: 'validated', valid: false, examples: 12, errors: 1, piiLines: 0 })
    expect((await call('GET', DATASETS, 200)).body.datasets).toContainEqual(shown.body)
    const report = await call('GET', `${DATASETS}/${id}/report`, 200)
    expect(report.body).toMatchObject({ dataset: id, faultsKept: 1, faults: [{ line: 13, code: 'missing_key' }] })
    expect(report.body).not.toHaveProperty('next')
    expect((await call('GET', `${DATASETS}/${id}/report?after=1`, 200)).body.faults).toEqual([])
  })

  it('takes consent and gives it back', async () => {
    const id = await keepDataset(server, scope)
    const given = await call('PUT', `${DATASETS}/${id}/consent`, 200, { consent: true })
    expect(given.body.consent).toMatchObject({ purpose: 'fine-tuning', by: expect.stringMatching(/^key_/) })
    expect((await call('DELETE', `${DATASETS}/${id}/consent`, 200)).body).not.toHaveProperty('consent')
  })

  it('is compared with validation data only', async () => {
    const id = await keepDataset(server, scope)
    const other = await keepDataset(server, scope)
    const refused = await call('POST', `${DATASETS}/${id}/leakage`, 400, { validation: other })
    expect(refused.body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'validation' }] })
  })

  it('has no report while it is being validated, and none of a file that went', async () => {
    const { datasets } = server.parts.controlPlane
    const known = await datasets.get(scope, await keepDataset(server, scope))
    const ids = createIdMaker({ clock: server.clock, chance: systemChance() })
    const asked = { baseModel: 'gpt-4.1', role: 'training', trainingType: 'standard', hasConsent: false } as const
    const id = ids.datasetId()
    await datasets.create(scope, ids.keyId(), { ...asked, id, fileId: known?.file.id ?? 'file-' })
    expect((await call('GET', `${DATASETS}/${id}/report`, 409)).body.detail).toMatch(/being validated/)
    await server.parts.files.files.remove(scope, known?.file.id ?? 'file-')
    await datasets.validate(scope, id)
    expect((await call('GET', `${DATASETS}/${id}/report`, 409)).body.detail).toMatch(/was deleted before it was read/)
    expect((await call('GET', `${DATASETS}/${id}`, 200)).body).toMatchObject({ state: 'failed', fault: {} })
  })

  it('is deleted once', async () => {
    const id = await keepDataset(server, scope)
    await call('DELETE', `${DATASETS}/${id}`, 204)
    await call('DELETE', `${DATASETS}/${id}`, 404)
    await call('GET', `${DATASETS}/${id}/report`, 404)
  })
})

describe('an upload by link', () => {
  it('is given with its link, which no other answer shows', async () => {
    const made = await call('POST', `${DATASETS}/uploads`, 201, { filename: 'train.jsonl', bytes: 7 })
    expect(made.body).toMatchObject({ state: 'open', bytes: 7, url: expect.stringContaining(made.body.id) })
    expect(made.headers.get('location')).toBe(`${DATASETS}/uploads/${made.body.id}`)
    const shown = await call('GET', `${DATASETS}/uploads/${made.body.id}`, 200)
    expect(shown.text).not.toContain('sig=')
    const again = await call('POST', `${DATASETS}/uploads/${made.body.id}/link`, 200)
    expect(again.body).toMatchObject({ id: made.body.id, url: expect.stringContaining('sig=') })
    expect(server.logged.join('\n')).not.toContain('sig=')
  })

  it('that has nothing yet is not completed, and abandoned it is over', async () => {
    const id = await openUpload(server, scope)
    expect((await call('POST', `${DATASETS}/uploads/${id}/complete`, 400)).body.detail).toMatch(/Nothing was committed/)
    await call('DELETE', `${DATASETS}/uploads/${id}`, 204)
    expect((await call('GET', `${DATASETS}/uploads/${id}`, 200)).body.state).toBe('abandoned')
    await call('POST', `${DATASETS}/uploads/${id}/link`, 409)
    await call('POST', `${DATASETS}/uploads/${id}/complete`, 409)
  })
})
