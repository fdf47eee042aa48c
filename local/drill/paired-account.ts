import { createHash } from 'node:crypto'

const NAME = 'tntpaired'

/** Another account of the same Azurite, which takes every name that begins so (host/launcher/azurite-preload/accounts.js). */
export function pairedConnection(connectionString: string): string {
  const parts = Object.fromEntries(
    connectionString
      .split(';')
      .filter((part) => part !== '')
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  )
  const own = parts['AccountName'] ?? ''
  const key = createHash('sha512').update(`simulated storage account ${NAME}`).digest('base64')
  const at = (service: string) => (parts[`${service}Endpoint`] ?? '').replace(new RegExp(`/${own}/?$`), `/${NAME}`)
  const paired = {
    DefaultEndpointsProtocol: 'http',
    AccountName: NAME,
    AccountKey: key,
    BlobEndpoint: at('Blob'),
    QueueEndpoint: at('Queue'),
    TableEndpoint: at('Table'),
  }
  return Object.entries(paired)
    .map(([name, value]) => `${name}=${value};`)
    .join('')
}
