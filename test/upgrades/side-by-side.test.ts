import { odata, type TableClient } from '@azure/data-tables'
import { parseBackendId, parseTenantId, type BackendId } from '../../src/base/ids'
import type { StorageAccount } from '../../src/storage/connect'
import { fromJsonColumns, toJsonColumns, type JsonColumns } from '../../src/storage/json-columns'
import { TenantScope } from '../../src/storage/tenant-scope'
import { createBackend, createTenant, expectStatus } from '../functions/control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../functions/control-plane-server'

/** What the next release writes into every document of these tables, beside what this one knows. */
const ADDED = { ofTheNextRelease: { shade: 'blue' } }
const TABLES = ['backends', 'tenants', 'keys']

/**
 * The instance of the other release is played by a hand that adds fields to all documents, as that release would write them:
 * rows are the only thing that two releases share.
 */
let server: ControlPlaneServer
let storage: StorageAccount
let backendId: BackendId
let scope: TenantScope
let keyId: string
let apiKey: string
beforeAll(async () => {
  server = await serveControlPlane()
  storage = server.storage
  backendId = known(parseBackendId(await createBackend(server)))
  const tenant = await createTenant(server)
  ;({ keyId, apiKey } = tenant)
  scope = TenantScope.ofPlatform(known(parseTenantId(tenant.tenantId)))
  for (const table of TABLES) await addTo(storage.table(table))
})
afterAll(() => server.close())

describe('an instance of this release beside one of the next', () => {
  it('shows a tenant what it knows of rows that have more in them, and nothing else', async () => {
    const { body, text } = expectStatus(await server.send('GET', '/api/tenant', { apiKey }), 200)
    expect(body).toMatchObject({ tenantId: scope.tenantId, state: 'active' })
    const keys = expectStatus(await server.send('GET', '/api/tenant/keys', { apiKey }), 200)
    expect(keys.body.keys).toHaveLength(1)
    expect(text + keys.text).not.toContain('ofTheNextRelease')
  })

  it('changes them, and what the other has added stays', async () => {
    const { backends, tenants } = server.parts
    expect(await backends.patch(backendId, { enabled: false }, () => true)).toMatchObject({ version: 2 })
    expect(await tenants.patch(scope, { displayName: 'New' }, () => true)).toMatchObject({ displayName: 'New' })
    expect(await tenants.transition(scope, 'suspend')).toMatchObject({ state: 'suspended' })
    expect(await tenants.transition(scope, 'resume')).toMatchObject({ state: 'active' })
    await server.clock.advance(1)
    const rotated = `/api/tenant/keys/${keyId}/rotate`
    expectStatus(await server.send('POST', rotated, { apiKey, body: { overlapMs: 3_600_000 } }), 200)

    expect(await documentOf(storage.table('backends'), backendId)).toMatchObject({
      backend: { enabled: false, ...ADDED },
    })
    expect(await documentOf(storage.table('tenants'), 'record')).toMatchObject({ displayName: 'New', ...ADDED })
    expect(await documentOf(storage.table('keys'), keyId)).toMatchObject(ADDED)
  })
})

/** At the top, and in the backend that lies one level down. */
async function addTo(table: TableClient): Promise<void> {
  for await (const entity of table.listEntities<JsonColumns>()) {
    if (typeof entity['json0'] !== 'string') continue
    const document = fromJsonColumns<{ backend?: object }>(entity)
    const { backend } = document
    const columns = toJsonColumns({ ...document, ...(backend ? { backend: { ...backend, ...ADDED } } : {}), ...ADDED })
    const { partitionKey = '', rowKey = '' } = entity
    await table.updateEntity({ partitionKey, rowKey, ...columns }, 'Merge')
  }
}

async function documentOf(table: TableClient, rowKey: string): Promise<unknown> {
  const filter = odata`RowKey eq ${rowKey}`
  for await (const entity of table.listEntities<JsonColumns>({ queryOptions: { filter } }))
    return fromJsonColumns(entity)
  return undefined
}

function known<T>(id: T | undefined): T {
  if (id === undefined) throw new Error('not an id')
  return id
}
