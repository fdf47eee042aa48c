import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { AzureNamedKeyCredential, TableClient } from '@azure/data-tables'
import { QueueServiceClient, StorageSharedKeyCredential as QueueKey } from '@azure/storage-queue'
import { startSimulator } from '../../../local/simulator/simulator'
import { testConnectionString } from '../../harness/storage'
import { armCaller, GROUP } from './running-arm'

const storageId = (name: string) => `${GROUP}/providers/Microsoft.Storage/storageAccounts/${name}`
const body = (more: object = {}) => ({
  location: 'swedencentral',
  kind: 'StorageV2',
  sku: { name: 'Standard_ZRS' },
  properties: { allowSharedKeyAccess: true, ...more },
})
const azuriteUrl = (service: string) =>
  new RegExp(`${service}Endpoint=([^;]+)/[^/;]+;`).exec(testConnectionString())?.[1] ?? ''

async function started(delayMs = 0) {
  const simulator = await startSimulator({
    config: { arm: { delayMs } },
    storage: { blob: azuriteUrl('Blob'), queue: azuriteUrl('Queue'), table: azuriteUrl('Table') },
  })
  const { call } = armCaller((path) => simulator.url + path)
  return { call, [Symbol.asyncDispose]: () => simulator.close() }
}

/** A name of its own for each run: Azurite serves them all. */
const newName = () => `tnt${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`

describe('a storage account that was made through ARM', () => {
  it('is one in Azurite, by its endpoints and its key, and is empty once it was deleted', async () => {
    await using azure = await started()
    const name = newName()
    const made = await azure.call('PUT', storageId(name), { body: body() })
    expect(made).toMatchObject({ status: 200, body: { name, sku: { name: 'Standard_ZRS' } } })
    const endpoints = made.body.properties?.['primaryEndpoints'] as Record<'blob' | 'queue' | 'table', string>
    expect(endpoints.blob).toBe(`${azuriteUrl('Blob')}/${name}/`)
    const key = (await azure.call('POST', `${storageId(name)}/listKeys`)).body.keys?.[0]?.value ?? ''

    const blobs = new BlobServiceClient(endpoints.blob, new StorageSharedKeyCredential(name, key))
    const queues = new QueueServiceClient(endpoints.queue, new QueueKey(name, key))
    const table = new TableClient(endpoints.table, 'rows', new AzureNamedKeyCredential(name, key), {
      allowInsecureConnection: true,
    })
    await blobs.createContainer('files')
    await queues.createQueue('work')
    await table.createTable()
    await table.createEntity({ partitionKey: 'a', rowKey: 'b' })

    expect((await azure.call('DELETE', storageId(name))).status).toBe(200)
    expect((await azure.call('DELETE', storageId(name))).status).toBe(204)
    expect((await azure.call('GET', storageId(name))).status).toBe(404)
    expect(await blobs.getContainerClient('files').exists()).toBe(false)
    expect(await queues.getQueueClient('work').exists()).toBe(false)
    await expect(table.getEntity('a', 'b')).rejects.toMatchObject({ statusCode: 404 })
  })

  it('is refused by Azurite with another account’s key', async () => {
    await using azure = await started()
    const [mine, other] = [newName(), newName()]
    for (const name of [mine, other]) await azure.call('PUT', storageId(name), { body: body() })
    const key = (await azure.call('POST', `${storageId(other)}/listKeys`)).body.keys?.[0]?.value ?? ''
    const blobs = new BlobServiceClient(`${azuriteUrl('Blob')}/${mine}`, new StorageSharedKeyCredential(mine, key))
    await expect(blobs.createContainer('files')).rejects.toMatchObject({ statusCode: 403 })
  })

  it('takes its time, and one change at once', async () => {
    await using azure = await started(1_500)
    const id = storageId(newName())
    const made = await azure.call('PUT', id, { body: body() })
    expect(made).toMatchObject({ status: 202, body: {} })
    const results = new URL(made.headers.get('location') ?? '').pathname
    expect((await azure.call('GET', results)).status).toBe(202)
    expect((await azure.call('GET', id)).body.properties).toMatchObject({ provisioningState: 'Creating' })
    expect(await azure.call('PUT', id, { body: body() })).toMatchObject({ code: 'StorageAccountOperationInProgress' })
    while ((await azure.call('GET', results)).status === 202) await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await azure.call('GET', id)).body.properties).toMatchObject({ provisioningState: 'Succeeded' })
    expect(
      (await azure.call('PUT', id, { body: body({ minimumTlsVersion: 'TLS1_2' }) })).body.properties,
    ).toMatchObject({
      allowSharedKeyAccess: true,
      minimumTlsVersion: 'TLS1_2',
    })
  })

  it('has a name that is well formed and nobody else’s', async () => {
    await using azure = await started()
    const name = newName()
    await azure.call('PUT', storageId(name), { body: body() })
    const elsewhere = storageId(name).replace('/tenantry/', '/other/')
    expect(await azure.call('PUT', elsewhere, { body: body() })).toMatchObject({ code: 'StorageAccountAlreadyTaken' })
    expect(await azure.call('PUT', storageId('No-Good'), { body: body() })).toMatchObject({
      code: 'AccountNameInvalid',
    })
  })
})
