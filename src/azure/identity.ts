import type { TokenCredential } from '@azure/core-auth'

/**
 * The app's own identity: managed identity in the cloud, whoever is signed in on one machine. Its packages are a quarter of
 * the app's start, so they are loaded with the first token; an app that works with keys never loads them.
 */
export function appIdentity(clientId: string | undefined): TokenCredential {
  let credential: Promise<TokenCredential> | undefined
  const load = async () => {
    const { DefaultAzureCredential } = await import('@azure/identity')
    return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId })
  }
  return {
    getToken: async (scopes, options) => (await (credential ??= load())).getToken(scopes, options),
  }
}
