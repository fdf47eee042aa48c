import { CompactSign, exportJWK, exportPKCS8, generateKeyPair, importPKCS8, type JWK } from 'jose'
import type { WrappingKey } from '../base/wrapping-key'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'

/** Signs deletion certificates, and publishes the key that verifies them. */
export interface CertificateSigner {
  /** Compact JWS (RFC 7515) over the JSON of `certificate`, EdDSA with Ed25519 (RFC 8037). */
  sign(certificate: object): Promise<string>
  /** JSON Web Key Set (RFC 7517). */
  publicKeys(): Promise<{ readonly keys: readonly JWK[] }>
}

export const signingStorage = { tables: ['signingkeys'] } as const

const ALGORITHM = 'EdDSA'
const ROW = 'current'

interface StoredKey {
  readonly kid: string
  readonly publicKey: JWK
  /** The private key in PKCS #8 PEM, wrapped by the installation's wrapping key; base64. */
  readonly wrapped: string
  readonly wrappedBy: string
}

/** The installation's signing key is made at its first use and kept wrapped. */
export function createCertificateSigner({
  rows,
  wrappingKey,
  newKeyId,
}: {
  rows: PartitionTable<Columns>
  wrappingKey: WrappingKey
  newKeyId: () => string
}): CertificateSigner {
  const read = async () => {
    const row = await rows.get(ROW)
    return row && fromJsonColumns<StoredKey>(row.columns)
  }
  const current = async (): Promise<StoredKey> => {
    const known = await read()
    if (known) return known
    const pair = await generateKeyPair(ALGORITHM, { extractable: true })
    const pem = Buffer.from(await exportPKCS8(pair.privateKey))
    const { wrapped, by } = await wrappingKey.wrap(pem)
    const kid = newKeyId()
    const publicKey = { ...(await exportJWK(pair.publicKey)), kid, alg: ALGORITHM, use: 'sig' }
    const made: StoredKey = { kid, publicKey, wrapped: Buffer.from(wrapped).toString('base64'), wrappedBy: by }
    await rows.insert(ROW, toJsonColumns(made))
    // Of two that are made at once, the stored one counts.
    return (await read()) ?? made
  }
  return {
    publicKeys: async () => ({ keys: [(await current()).publicKey] }),
    sign: async (certificate) => {
      const { kid, wrapped, wrappedBy } = await current()
      const pem = Buffer.from(await wrappingKey.unwrap(Buffer.from(wrapped, 'base64'), wrappedBy)).toString()
      const privateKey = await importPKCS8(pem, ALGORITHM)
      return new CompactSign(Buffer.from(JSON.stringify(certificate)))
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'JOSE' })
        .sign(privateKey)
    },
  }
}
