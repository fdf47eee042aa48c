/** Hosts of which the first label is the account's custom subdomain, unique in all of Azure (azure-facts 6.2). */
const AZURE_HOSTS = ['.openai.azure.com', '.cognitiveservices.azure.com', '.services.ai.azure.com']

/**
 * What addresses of one account have in common: its subdomain; elsewhere host and path behind `//`, so that no host of another
 * kind is taken for the account, and given what is the account's.
 */
export function accountAddress(endpoint: string): string {
  const url = URL.parse(endpoint)
  if (!url) return endpoint.toLowerCase()
  const suffix = AZURE_HOSTS.find((each) => url.hostname.endsWith(each))
  if (suffix !== undefined) return url.hostname.slice(0, -suffix.length)
  return `//${url.host}${url.pathname.replace(/\/+$/, '')}`.toLowerCase()
}
