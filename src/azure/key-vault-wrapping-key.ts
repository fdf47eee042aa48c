import type { TokenCredential } from '@azure/core-auth'
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys'
import type { WrappingKey } from '../base/wrapping-key'

/** RFC 8017 with SHA-256; the key never leaves the vault, only its public half does. */
const ALGORITHM = 'RSA-OAEP-256'

/**
 * A wrapping key in Key Vault: an RSA key of 2,048 bits or more. New data keys are wrapped with its current version; `by` is
 * the id of the version, which goes on unwrapping what it wrapped for as long as it is enabled.
 */
export function keyVaultWrappingKey({
  vaultUrl,
  keyName,
  credential,
}: {
  vaultUrl: string
  keyName: string
  credential: TokenCredential
}): WrappingKey {
  const keys = new KeyClient(vaultUrl, credential)
  return {
    wrap: async (plain) => {
      const { id } = await keys.getKey(keyName)
      if (id === undefined) throw new Error(`the key ${keyName} of ${vaultUrl} has no id`)
      const { result } = await new CryptographyClient(id, credential).wrapKey(ALGORITHM, plain)
      return { wrapped: result, by: id }
    },
    unwrap: async (wrapped, by) => {
      // A row that names a key of another vault was not written by this installation.
      if (new URL(by).origin !== new URL(vaultUrl).origin) throw new Error(`"${by}" is no key of ${vaultUrl}`)
      return (await new CryptographyClient(by, credential).unwrapKey(ALGORITHM, wrapped)).result
    },
  }
}
