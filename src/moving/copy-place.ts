import type { PlaceContents } from '../storage/places'
import { tenantDataContainers, tenantDataTables } from '../storage/tenant-data'

/**
 * Makes the tenant's data in `to` what it is in `from`: copies what is new or changed and removes what is gone. Can be broken
 * off and repeated; how much was written or removed.
 */
export async function copyPlace(from: PlaceContents, to: PlaceContents): Promise<number> {
  let changes = 0
  for (const name of tenantDataTables) {
    const seen = new Set<string>()
    for await (const { rowKey, columns } of from.tables[name].range('', END)) {
      seen.add(rowKey)
      const there = await to.tables[name].get(rowKey)
      if (there && sameColumns(there.columns, columns)) continue
      await to.tables[name].put(rowKey, columns)
      changes++
    }
    for await (const { rowKey } of to.tables[name].range('', END)) {
      if (seen.has(rowKey)) continue
      await to.tables[name].remove(rowKey)
      changes++
    }
  }
  for (const name of tenantDataContainers) changes += await copyBlobs(from.containers[name], to.containers[name])
  return changes
}

/** Above every row key. */
const END = '\uffff'

function sameColumns(a: object, b: object): boolean {
  const text = (columns: object) =>
    JSON.stringify(
      Object.entries(columns)
        .map(([key, value]) => [key, value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value])
        .sort(([one], [other]) => String(one).localeCompare(String(other))),
    )
  return text(a) === text(b)
}

type Blobs = PlaceContents['containers']['content']

/** Blobs are sealed and small; their MD5, which storage keeps, tells whether one has changed. */
async function copyBlobs(from: Blobs, to: Blobs): Promise<number> {
  const there = new Map<string, string>()
  for await (const { name, properties } of to.client.listBlobsFlat({ prefix: to.prefix }))
    there.set(name, Buffer.from(properties.contentMD5 ?? []).toString('base64'))
  let changes = 0
  for await (const { name, properties } of from.client.listBlobsFlat({ prefix: from.prefix })) {
    const md5 = Buffer.from(properties.contentMD5 ?? []).toString('base64')
    const isSame = md5 !== '' && there.get(name) === md5
    there.delete(name)
    if (isSame) continue
    const bytes = await from.client.getBlobClient(name).downloadToBuffer()
    await to.client.getBlockBlobClient(name).uploadData(bytes)
    changes++
  }
  for (const name of there.keys()) {
    await to.client.deleteBlob(name)
    changes++
  }
  return changes
}
