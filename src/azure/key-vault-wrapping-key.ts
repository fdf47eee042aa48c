import type { TokenCredential } from '@azure/core-auth'
import {
  CryptographyClient,
  KeyClient,
  parseKeyVaultKeyIdentifier,
  type KeyClientOptions,
  type KeyVaultKey,
} from '@azure/keyvault-keys'
import type { WrappingKey } from '../base/wrapping-key'

/** RFC 8017 with SHA-256; the key never leaves the vault, only its public half does. */
const ALGORITHM = 'RSA-OAEP-256'

/**
 * A wrapping key in Key Vault: an RSA key of 2,048 bits or more. New data keys are wrapped with its current version; `by` is
 * the id of the version, which goes on unwrapping what it wrapped for as long as it is enabled, expired or not.
 */
export function keyVaultWrappingKey({
  vaultUrl,
  keyName,
  credential,
  client = {},
}: {
  vaultUrl: string
  keyName: string
  credential: TokenCredential
  /** For a vault that is not Azure's: whom to trust, and whose tokens it takes. */
  client?: KeyClientOptions
}): WrappingKey {
  const keys = new KeyClient(vaultUrl, credential, { ...client })
  // Each gets options of its own: the library writes into them.
  const cryptography = (key: Pick<KeyVaultKey, 'id' | 'name' | 'properties'>) =>
    new CryptographyClient(key, credential, { ...client })
  return {
    reach: async () => {
      await keys.getKey(keyName)
    },
    wrap: async (plain) => {
      const key = await keys.getKey(keyName)
      if (key.id === undefined) throw new Error(`the key ${keyName} of ${vaultUrl} has no id`)
      const { result } = await cryptography(key).wrapKey(ALGORITHM, plain)
      return { wrapped: result, by: key.id }
    },
    unwrap: async (wrapped, by) => {
      // A row that names a key of another vault was not written by this installation.
      if (new URL(by).origin !== new URL(vaultUrl).origin) throw new Error(`"${by}" is no key of ${vaultUrl}`)
      return (await cryptography(keyAsNamed(by)).unwrapKey(ALGORITHM, wrapped)).result
    },
  }
}

/**
 * By its id alone the library would ask for the key first and refuse one that has expired, which the vault itself goes on
 * unwrapping with: data would be lost to a rotation that sets an expiry.
 */
function keyAsNamed(id: string) {
  const { name, vaultUrl } = parseKeyVaultKeyIdentifier(id)
  return { id, name, properties: { id, name, vaultUrl } }
}
