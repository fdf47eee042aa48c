/**
 * Whether keys and prompts may travel to this address: https, and in clear text only within the machine; without query,
 * fragment and credentials.
 */
export function isEndpointUrl(text: string): boolean {
  const url = URL.parse(text)
  if (!url || url.search || url.hash || url.username || url.password) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url.hostname))
}

/** The suffixes under which Azure gives Azure OpenAI accounts their names, in its public and its national clouds. */
const AZURE_OPENAI_HOST =
  /^[a-z0-9][a-z0-9-]{0,62}\.(?:openai\.azure\.(?:com|us|cn)|cognitiveservices\.azure\.(?:com|us|cn)|services\.ai\.azure\.com)$/

/**
 * Whether the address is that of an Azure OpenAI account (or of a server on this machine). A token of ours for somebody's
 * directory goes nowhere else: whoever got it could use every account there that trusts us.
 */
export function isAzureOpenAiUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && isEndpointUrl(text) && (AZURE_OPENAI_HOST.test(url.hostname) || isThisMachine(url.hostname))
}

const isThisMachine = (host: string) => host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
