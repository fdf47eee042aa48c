import { createHash, createHmac } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ContainerClient } from '@azure/storage-blob'
import { sameText } from '../access/api-key'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { parseTenantId, type TenantId } from '../base/ids'
import type { WrappingKey } from '../base/wrapping-key'
import type { TenantScope } from '../storage/tenant-scope'
import { encryptArchive } from './archive-cipher'
import type { TenantExport } from './offboardings'
import { zipOf, type ArchiveFile } from './zip'

/** Makes a tenant's export: one zip archive, encrypted with a key of its own, outside of the tenant's data. */
export interface Exporter {
  /** Each time an archive and a key of its own, so that one that broke off, or two at once, cannot spoil another's. */
  make(scope: TenantScope): Promise<TenantExport>
  /** Of the one-time link; the same each time. */
  token(tenantId: TenantId): string
  /** The tenant whose link it is; undefined for a made-up one. */
  tenantOf(token: string): TenantId | undefined
  /** The archive's key, base64url; undefined once the record has it no more. */
  key(made: TenantExport): Promise<string | undefined>
  read(made: TenantExport): Promise<AsyncIterable<Uint8Array>>
  /** Archives whose time is over, those that no offboarding knows of too. */
  expired(): AsyncIterable<{ readonly tenantId: TenantId; readonly blob: string }>
  remove(blob: string): Promise<void>
}

const TOKEN = /^exp_([0-9a-hjkmnp-tv-z]{26})_([\w-]{43})$/
const KEY_BYTES = 32
const NAME_BYTES = 10
const BLOCK_BYTES = 4 * 1024 * 1024
const BLOCKS_AT_ONCE = 2
/** Blob metadata: Unix milliseconds until which the archive is kept. */
const UNTIL = 'until'

export function createExporter({
  container,
  secret,
  wrappingKey,
  validMs,
  clock,
  chance,
  filesOf,
}: {
  container: ContainerClient
  /** Makes the links' tokens. */
  secret: string
  wrappingKey: WrappingKey
  /** How long an archive is kept. */
  validMs: number
  clock: Clock
  chance: Chance
  /** What the archives hold. */
  filesOf: (scope: TenantScope) => AsyncIterable<ArchiveFile>
}): Exporter {
  const secretOf = (tenantId: TenantId) =>
    createHmac('sha256', secret).update(`export-link\n${tenantId}`).digest('base64url')

  return {
    make: async (scope) => {
      const key = Buffer.from(chance.bytes(KEY_BYTES))
      const { wrapped, by } = await wrappingKey.wrap(key)
      const blob = `${scope.tenantId}/${Buffer.from(chance.bytes(NAME_BYTES)).toString('hex')}.zip.enc`
      const until = clock.now() + validMs
      const digest = createHash('sha256')
      let bytes = 0
      const counted = async function* () {
        for await (const chunk of encryptArchive(key, chance, zipOf(filesOf(scope)))) {
          digest.update(chunk)
          bytes += chunk.length
          yield chunk
        }
      }
      const metadata = { [UNTIL]: String(until) }
      const client = container.getBlockBlobClient(blob)
      await client.uploadStream(Readable.from(counted()), BLOCK_BYTES, BLOCKS_AT_ONCE, { metadata })
      const wrappedKey = Buffer.from(wrapped).toString('base64')
      return { blob, bytes, sha256: digest.digest('hex'), until, wrappedKey, wrappedBy: by }
    },
    token: (tenantId) => `exp_${tenantId.slice('ten_'.length)}_${secretOf(tenantId)}`,
    tenantOf: (token) => {
      const [, body = '', given = ''] = TOKEN.exec(token) ?? []
      const tenantId = parseTenantId(`ten_${body}`)
      return tenantId && sameText(secretOf(tenantId), given) ? tenantId : undefined
    },
    key: async ({ wrappedKey, wrappedBy }) =>
      wrappedKey === undefined
        ? undefined
        : Buffer.from(await wrappingKey.unwrap(Buffer.from(wrappedKey, 'base64'), wrappedBy)).toString('base64url'),
    read: async ({ blob }) => {
      const { readableStreamBody } = await container.getBlobClient(blob).download()
      if (!readableStreamBody) throw new Error('the archive has no body')
      return readableStreamBody as Readable
    },
    async *expired() {
      for await (const { name, metadata } of container.listBlobsFlat({ includeMetadata: true })) {
        const tenantId = parseTenantId(name.split('/', 1)[0] ?? '')
        if (tenantId && Number(metadata?.[UNTIL]) <= clock.now()) yield { tenantId, blob: name }
      }
    },
    remove: async (blob) => {
      await container.getBlobClient(blob).deleteIfExists()
    },
  }
}
