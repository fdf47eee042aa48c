import { TableClient, TableServiceClient } from '@azure/data-tables'
import { BlobServiceClient } from '@azure/storage-blob'
import { QueueServiceClient } from '@azure/storage-queue'

/** The setting that names the host's own storage account, and that of bindings which name none. */
export const HOST_STORAGE = 'AzureWebJobsStorage'

/** Azurite's well-known development account, which `UseDevelopmentStorage=true` stands for. */
const EMULATOR =
  'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;' +
  'AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;' +
  'BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;' +
  'TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;'

/** Clients for the storage accounts that app settings name; each is made once. */
export interface StorageConnections {
  has(setting: string): boolean
  blobs(setting: string): BlobServiceClient
  queues(setting: string): QueueServiceClient
  table(setting: string, tableName: string): TableClient
  createTable(setting: string, tableName: string): Promise<void>
}

/** Throws, naming the setting, when a connection is asked for that is not set. */
export function createConnections(env: NodeJS.ProcessEnv): StorageConnections {
  const textOf = (setting: string) => {
    // Bindings may leave out the prefix that settings of this kind have.
    const text = env[setting] ?? env[`AzureWebJobs${setting}`]
    if (!text) throw new Error(`The app setting ${setting}, a storage connection string, is not set`)
    return text === 'UseDevelopmentStorage=true' ? EMULATOR : text
  }
  const tableOptions = { allowInsecureConnection: true }
  return {
    has: (setting) => Boolean(env[setting] ?? env[`AzureWebJobs${setting}`]),
    blobs: once((setting) => BlobServiceClient.fromConnectionString(textOf(setting))),
    queues: once((setting) => QueueServiceClient.fromConnectionString(textOf(setting))),
    table: (setting, tableName) => TableClient.fromConnectionString(textOf(setting), tableName, tableOptions),
    createTable: (setting, tableName) =>
      TableServiceClient.fromConnectionString(textOf(setting), tableOptions).createTable(tableName),
  }
}

function once<T>(make: (setting: string) => T): (setting: string) => T {
  const made = new Map<string, T>()
  return (setting) => {
    const value = made.get(setting) ?? make(setting)
    made.set(setting, value)
    return value
  }
}
