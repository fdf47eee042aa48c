import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ContainerClient } from '@azure/storage-blob'
import { sameText } from '../access/api-key'
import type { Chance } from '../base/chance'
import { parseTenantId, type TenantId } from '../base/ids'
import type { TenantScope } from '../storage/tenant-scope'
import { encryptArchive } from './archive-cipher'
import { zipOf, type ArchiveFile } from './zip'

/** Makes a tenant's export: one zip archive, encrypted, outside of the tenant's data, behind a one-time link. */
export interface Exporter {
  /** Can be repeated: the same archive's place is written again. */
  make(
    scope: TenantScope,
    operationId: string,
    nowMs: number,
  ): Promise<{ bytes: number; sha256: string; until: number }>
  token(tenantId: TenantId): string
  /** The tenant whose link it is; undefined for a made-up one. */
  tenantOf(token: string): TenantId | undefined
  /** The archive's key, base64url. Made from the installation's secret each time; stored nowhere. */
  key(tenantId: TenantId): string
  read(tenantId: TenantId): Promise<AsyncIterable<Uint8Array>>
}

export const EXPORT_VALID_MS = 7 * 86_400_000
const TOKEN = /^exp_([0-9a-hjkmnp-tv-z]{26})_([\w-]{43})$/
const KEY_BYTES = 32
const BLOCK_BYTES = 4 * 1024 * 1024
const BLOCKS_AT_ONCE = 2

export function createExporter({
  container,
  secret,
  chance,
  filesOf,
}: {
  container: ContainerClient
  secret: string
  chance: Chance
  /** What the archive holds. */
  filesOf: (scope: TenantScope) => AsyncIterable<ArchiveFile>
}): Exporter {
  const keyOf = (tenantId: TenantId) =>
    Buffer.from(hkdfSync('sha256', secret, tenantId, 'tenantry-export-v1', KEY_BYTES))
  const secretOf = (tenantId: TenantId) =>
    createHmac('sha256', secret).update(`export-link\n${tenantId}`).digest('base64url')
  const blobOf = (tenantId: TenantId) => container.getBlockBlobClient(`${tenantId}.zip.enc`)

  return {
    make: async (scope, _, nowMs) => {
      const digest = createHash('sha256')
      let bytes = 0
      const counted = async function* () {
        for await (const chunk of encryptArchive(keyOf(scope.tenantId), chance, zipOf(filesOf(scope)))) {
          digest.update(chunk)
          bytes += chunk.length
          yield chunk
        }
      }
      await blobOf(scope.tenantId).uploadStream(Readable.from(counted()), BLOCK_BYTES, BLOCKS_AT_ONCE)
      return { bytes, sha256: digest.digest('hex'), until: nowMs + EXPORT_VALID_MS }
    },
    token: (tenantId) => `exp_${tenantId.slice('ten_'.length)}_${secretOf(tenantId)}`,
    tenantOf: (token) => {
      const [, body = '', given = ''] = TOKEN.exec(token) ?? []
      const tenantId = parseTenantId(`ten_${body}`)
      return tenantId && sameText(secretOf(tenantId), given) ? tenantId : undefined
    },
    key: (tenantId) => keyOf(tenantId).toString('base64url'),
    read: async (tenantId) => {
      const { readableStreamBody } = await blobOf(tenantId).download()
      if (!readableStreamBody) throw new Error('the archive has no body')
      return readableStreamBody as Readable
    },
  }
}
