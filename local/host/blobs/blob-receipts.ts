import type { ContainerClient } from '@azure/storage-blob'
import { isStatus } from '../storage-error'

/** What is known of one version of one blob: how often a function failed on it, and whether it is done with. */
export interface BlobReceipt {
  readonly failures: number
  readonly isDone: boolean
}

export interface BlobReceipts {
  read(blobName: string, etag: string): Promise<BlobReceipt>
  write(blobName: string, etag: string, receipt: BlobReceipt): Promise<void>
}

/**
 * Receipts are empty blobs `blobreceipts/<hostId>/<function>/<etag>/<container>/<blob>` in azure-webjobs-hosts, as in
 * the real host, with the state in their metadata. They outlive the host, so a blob is not handled again after a restart.
 */
export function blobReceipts(
  store: ContainerClient,
  key: { hostId: string; functionName: string; container: string },
): BlobReceipts {
  const receiptOf = (blobName: string, etag: string) =>
    store.getBlockBlobClient(
      `blobreceipts/${key.hostId}/${key.functionName}/${etag.replaceAll('"', '')}/${key.container}/${blobName}`,
    )
  return {
    read: async (blobName, etag) => {
      try {
        const { metadata = {} } = await receiptOf(blobName, etag).getProperties()
        return { failures: Number(metadata['failures'] ?? 0), isDone: metadata['completed'] === 'true' }
      } catch (error) {
        if (isStatus(error, 404)) return { failures: 0, isDone: false }
        throw error
      }
    },
    write: async (blobName, etag, { failures, isDone }) => {
      const metadata = { failures: String(failures), completed: String(isDone) }
      await receiptOf(blobName, etag).upload('', 0, { metadata })
    },
  }
}
