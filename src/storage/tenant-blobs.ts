import type { ContainerClient } from '@azure/storage-blob'
import { storageStatus } from './connect'

/** A tenant's blobs in one container. Their names are the tenant's own; in storage the tenant's id stands in front (I2). */
export interface TenantBlobs {
  get(name: string): Promise<Buffer | undefined>
  /** Writes whatever is there. */
  put(name: string, bytes: Uint8Array): Promise<void>
  /** A missing one is no error. */
  remove(name: string): Promise<void>
  /** In the order of their names; the MD5 that storage keeps, base64, empty where it has none. */
  list(prefix: string): AsyncIterable<{ readonly name: string; readonly md5: string }>
}

/** The blobs of `container` whose names begin with `prefix`. Whoever aborts `signal` does not know whether a write was done. */
export function tenantBlobs(container: ContainerClient, prefix: string, signal?: AbortSignal): TenantBlobs {
  const options = signal ? { abortSignal: signal } : {}
  return {
    get: async (name) => {
      try {
        return await container.getBlobClient(prefix + name).downloadToBuffer()
      } catch (error) {
        if (storageStatus(error) === 404) return undefined
        throw error
      }
    },
    put: async (name, bytes) => {
      // In one request, so that storage knows the whole blob's MD5 and nobody sees half of it.
      await container.getBlockBlobClient(prefix + name).upload(bytes, bytes.length, options)
    },
    remove: async (name) => {
      await container.getBlobClient(prefix + name).deleteIfExists(options)
    },
    async *list(start) {
      for await (const { name, properties } of container.listBlobsFlat({ prefix: prefix + start }))
        yield { name: name.slice(prefix.length), md5: Buffer.from(properties.contentMD5 ?? []).toString('base64') }
    },
  }
}
