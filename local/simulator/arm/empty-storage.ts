import type { StorageUrls } from './arm'
import { storageKey } from './storage-key'

/** Nothing is tried again: a deletion that cannot reach the services leaves what is there, and says so. */
const ONCE = { retryOptions: { maxTries: 1, maxRetries: 0 } } as const

/**
 * Deletes what is in a storage account, as its deletion does in Azure: Azurite knows no deletion of an account, and would
 * show the old content to whoever makes one of the same name. The packages are loaded here since few runs need them.
 */
export async function emptyStorage(name: string, urls: StorageUrls): Promise<void> {
  const results = await Promise.allSettled([
    emptyBlobs(name, `${urls.blob}/${name}`),
    emptyQueues(name, `${urls.queue}/${name}`),
    emptyTables(name, `${urls.table}/${name}`),
  ])
  for (const result of results) {
    if (result.status === 'rejected') console.error(`simulator: ${name} is deleted, but not emptied:`, result.reason)
  }
}

async function emptyBlobs(name: string, url: string): Promise<void> {
  const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob')
  const client = new BlobServiceClient(url, new StorageSharedKeyCredential(name, storageKey(name)), ONCE)
  for await (const container of client.listContainers()) await client.deleteContainer(container.name)
}

async function emptyQueues(name: string, url: string): Promise<void> {
  const { QueueServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-queue')
  const client = new QueueServiceClient(url, new StorageSharedKeyCredential(name, storageKey(name)), ONCE)
  for await (const queue of client.listQueues()) await client.deleteQueue(queue.name)
}

async function emptyTables(name: string, url: string): Promise<void> {
  const { TableServiceClient, AzureNamedKeyCredential } = await import('@azure/data-tables')
  const credential = new AzureNamedKeyCredential(name, storageKey(name))
  const client = new TableServiceClient(url, credential, { ...ONCE, allowInsecureConnection: true })
  for await (const table of client.listTables()) if (table.name) await client.deleteTable(table.name)
}
