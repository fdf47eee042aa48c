import type { TokenCredential } from '@azure/core-auth'
import { odata, TableClient, TableServiceClient } from '@azure/data-tables'
import { BlobSASPermissions, BlobServiceClient, SASProtocol, type ContainerClient } from '@azure/storage-blob'
import { QueueServiceClient, type QueueClient } from '@azure/storage-queue'
import { rowVersions, setRowVersion, type RowVersion } from './row-versions'
import type { TransitLink } from './transit-blobs'

/** How one storage account is reached: a connection string (one machine, Azurite) or an identity (Azure). */
export type StorageConnection =
  | { readonly kind: 'connection-string'; readonly connectionString: string }
  | {
      readonly kind: 'identity'
      readonly blobUrl: string
      readonly queueUrl: string
      readonly tableUrl: string
      readonly credential: TokenCredential
    }

/**
 * One storage account. Names of tables, containers and queues carry the installation's prefix,
 * so that several installations (or test runs) can share an account.
 */
export interface StorageAccount {
  /** Table names are letters and digits only; the prefix is put in front. */
  table(name: string): TableClient
  container(name: string): ContainerClient
  queue(name: string): QueueClient
  /**
   * The address of one blob, signed for one right to it and for so long: as the delegate of the identity by which the account is
   * reached, or with its key where it is reached by that. Nobody can take such an address back before its end.
   */
  signedBlob(container: string, blob: string, link: TransitLink): Promise<string>
  /** Names of the installation's tables and containers, without its prefix: for sweeps that trust no list of ours. */
  tableNames(): Promise<string[]>
  containerNames(): Promise<string[]>
  /** How many rows a table has in a partition, and how many blobs a container has under a prefix. */
  rowsInPartition(table: string, partitionKey: string): Promise<number>
  /** How many rows of the platform's own partition have keys that begin so. */
  platformRowsUnder(table: string, rowKeyStart: string): Promise<number>
  blobsUnder(container: string, prefix: string): Promise<number>
  /** Makes what is missing of these; safe to call at every start. */
  ensure(wanted: {
    tables?: readonly string[]
    containers?: readonly string[]
    queues?: readonly string[]
  }): Promise<void>
}

/** The partition of rows that belong to no tenant. A tenant's id starts with `ten_`, so no tenant can be given it. */
export const platformPartition = 'platform'

/** Azurite's well-known development account, which `UseDevelopmentStorage=true` stands for. */
const DEVELOPMENT_STORAGE =
  'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;' +
  'AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;' +
  'BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;' +
  'TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;'

/** `versions` are another release's in tests alone. */
export function connectStorage(
  connection: StorageConnection,
  prefix: string,
  versions: Readonly<Record<string, RowVersion>> = rowVersions,
): StorageAccount {
  const { tables, blobs, queues } = services(connection)
  const tableName = (name: string) => `${prefix}${name}`
  const otherName = (name: string) => `${prefix.toLowerCase()}-${name}`
  // Slices ask for a table more than once, and each client takes time of a start. As many as there are tables.
  const tableClients = new Map<string, TableClient>()
  const tableClient = (name: string) => {
    const client = tableClients.get(name) ?? setRowVersion(tables.client(tableName(name)), versions[name])
    tableClients.set(name, client)
    return client
  }

  const tableNames = async () => {
    const names: string[] = []
    const queryOptions = prefix ? { filter: odata`TableName ge ${prefix} and TableName lt ${`${prefix}~`}` } : {}
    for await (const { name } of tables.service.listTables({ queryOptions }))
      if (name?.startsWith(prefix)) names.push(name.slice(prefix.length))
    return names
  }

  return {
    table: tableClient,
    container: (name) => blobs.getContainerClient(otherName(name)),
    queue: (name) => queues.getQueueClient(otherName(name)),
    signedBlob: async (name, blob, { right, nowMs, expiresAtMs }) => {
      const client = blobs.getContainerClient(otherName(name)).getBlobClient(blob)
      const signed = {
        permissions: BlobSASPermissions.parse(PERMISSIONS[right]),
        expiresOn: new Date(expiresAtMs),
        ...(client.url.startsWith('https:') ? { protocol: SASProtocol.Https } : {}),
      }
      if (connection.kind === 'connection-string') return client.generateSasUrl(signed)
      const key = await blobs.getUserDelegationKey(new Date(nowMs - CLOCKS_APART_MS), new Date(expiresAtMs))
      return client.generateUserDelegationSasUrl(signed, key)
    },
    tableNames,
    containerNames: async () => {
      const start = otherName('')
      const names: string[] = []
      for await (const { name } of blobs.listContainers({ prefix: start })) names.push(name.slice(start.length))
      return names
    },
    rowsInPartition: async (name, partitionKey) => {
      const filter = odata`PartitionKey eq ${partitionKey}`
      return countOf(tables.client(tableName(name)).listEntities({ queryOptions: { filter, select: ['RowKey'] } }))
    },
    platformRowsUnder: async (name, start) => {
      const filter = odata`PartitionKey eq ${platformPartition} and RowKey ge ${start} and RowKey lt ${`${start}\uffff`}`
      return countOf(tables.client(tableName(name)).listEntities({ queryOptions: { filter, select: ['RowKey'] } }))
    },
    blobsUnder: (name, start) => countOf(blobs.getContainerClient(otherName(name)).listBlobsFlat({ prefix: start })),
    ensure: async (wanted) => {
      // One look for what nearly always is there already: an instance that starts would send as many requests as there are tables.
      const there = new Set(wanted.tables ? await tableNames() : [])
      const missing = wanted.tables?.filter((name) => !there.has(name)) ?? []
      await Promise.all([
        ...missing.map((name) => tables.service.createTable(tableName(name))),
        ...(wanted.containers ?? []).map((name) => blobs.getContainerClient(otherName(name)).createIfNotExists()),
        ...(wanted.queues ?? []).map((name) => queues.getQueueClient(otherName(name)).createIfNotExists()),
      ])
    },
  }
}

/** Creating as well as writing: a blob that is there may be written anew, so that an upload can begin again. */
const PERMISSIONS = { write: 'cw', read: 'r' } as const
/** What our clock may be ahead of the storage service's, which takes no key that is not valid yet. */
const CLOCKS_APART_MS = 300_000

/** In what was deleted meanwhile there is nothing. */
async function countOf(items: AsyncIterable<object>): Promise<number> {
  let count = 0
  try {
    for await (const item of items) count += item ? 1 : 0
  } catch (error) {
    if (storageStatus(error) !== 404) throw error
  }
  return count
}

function services(connection: StorageConnection) {
  if (connection.kind === 'identity') {
    const { credential, tableUrl, blobUrl, queueUrl } = connection
    return {
      tables: {
        service: new TableServiceClient(tableUrl, credential),
        client: (name: string) => new TableClient(tableUrl, name, credential),
      },
      blobs: new BlobServiceClient(blobUrl, credential),
      queues: new QueueServiceClient(queueUrl, credential),
    }
  }
  const text =
    connection.connectionString === 'UseDevelopmentStorage=true' ? DEVELOPMENT_STORAGE : connection.connectionString
  const options = { allowInsecureConnection: /^http:|=http:/.test(text) }
  return {
    tables: {
      service: TableServiceClient.fromConnectionString(text, options),
      client: (name: string) => TableClient.fromConnectionString(text, name, options),
    },
    blobs: BlobServiceClient.fromConnectionString(text),
    queues: QueueServiceClient.fromConnectionString(text),
  }
}

/** The HTTP status of a storage failure, or undefined for anything else that was thrown. */
export function storageStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined
  return typeof error.statusCode === 'number' ? error.statusCode : undefined
}
