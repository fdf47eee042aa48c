import type { StorageAccount } from '../../src/storage/connect'

/** Everything that lies in a storage account, each row and each blob as a text: for whoever looks for what should not be there. */
export async function storedTexts(storage: StorageAccount): Promise<string[]> {
  const texts: string[] = []
  for (const name of await storage.tableNames())
    for await (const row of storage.table(name).listEntities()) texts.push(rowText(row))
  for (const name of await storage.containerNames()) {
    const container = storage.container(name)
    for await (const { name: blob } of container.listBlobsFlat()) {
      const bytes = await container.getBlobClient(blob).downloadToBuffer()
      texts.push(`${blob}\n${bytes.toString('latin1')}`)
    }
  }
  return texts
}

const rowText = (row: object): string =>
  Object.entries(row)
    .map(
      ([key, value]) => `${key}=${value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)}`,
    )
    .join('\n')
