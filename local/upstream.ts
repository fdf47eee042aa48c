/** Where the demo's calls go: the simulator, a real Azure OpenAI account, or any OpenAI-compatible server. */
export interface Upstream {
  readonly kind: 'simulator' | 'azure' | 'openai-compatible'
  readonly chat: UpstreamTarget
  readonly embeddings: UpstreamTarget
}

export interface UpstreamTarget {
  readonly api: { readonly kind: 'azure-openai'; readonly apiVersion: string } | { readonly kind: 'openai-compatible' }
  readonly endpoint: string
  readonly deployment: string
  readonly credential:
    { readonly kind: 'api-key'; readonly setting: string } | { readonly kind: 'identity' } | { readonly kind: 'none' }
  readonly region: string
  /** As the price book names it. */
  readonly model: string
}

type Settings = Readonly<Record<string, string | undefined>>

const API_VERSION = '2024-10-21'
const CHAT_MODEL = 'gpt-4.1-mini'
const EMBEDDING_MODEL = 'text-embedding-3-small'

/**
 * Read from local.settings.json and the environment: `AZURE_OPENAI_ENDPOINT` (with `AZURE_OPENAI_API_KEY`, or without it
 * the identity of whoever is signed in), else `OPENAI_BASE_URL` (with or without `OPENAI_API_KEY`), else the simulator.
 */
export function readUpstream(settings: Settings, simulatorUrl: string): Upstream {
  const azure = settings['AZURE_OPENAI_ENDPOINT']
  if (azure) return azureUpstream(azure, settings)
  const compatible = settings['OPENAI_BASE_URL']
  if (compatible) return compatibleUpstream(compatible, settings)
  const simulated = { AZURE_OPENAI_API_KEY: 'set by the stack' }
  return { ...azureUpstream(simulatorUrl, simulated), kind: 'simulator' }
}

function azureUpstream(endpoint: string, settings: Settings): Upstream {
  const target = (deployment: string, model: string): UpstreamTarget => ({
    api: { kind: 'azure-openai', apiVersion: settings['AZURE_OPENAI_API_VERSION'] ?? API_VERSION },
    endpoint: withoutPath(endpoint),
    deployment,
    credential: settings['AZURE_OPENAI_API_KEY']
      ? { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' }
      : { kind: 'identity' },
    region: settings['AZURE_OPENAI_REGION'] ?? 'swedencentral',
    model,
  })
  const chat = settings['AZURE_OPENAI_CHAT_DEPLOYMENT'] ?? CHAT_MODEL
  const embeddings = settings['AZURE_OPENAI_EMBEDDING_DEPLOYMENT'] ?? EMBEDDING_MODEL
  return {
    kind: 'azure',
    chat: target(chat, settings['AZURE_OPENAI_CHAT_MODEL'] ?? CHAT_MODEL),
    embeddings: target(embeddings, settings['AZURE_OPENAI_EMBEDDING_MODEL'] ?? EMBEDDING_MODEL),
  }
}

function compatibleUpstream(baseUrl: string, settings: Settings): Upstream {
  const target = (model: string): UpstreamTarget => ({
    api: { kind: 'openai-compatible' },
    endpoint: baseUrl.replace(/\/+$/, ''),
    deployment: model,
    credential: settings['OPENAI_API_KEY'] ? { kind: 'api-key', setting: 'OPENAI_API_KEY' } : { kind: 'none' },
    region: 'local',
    model,
  })
  return {
    kind: 'openai-compatible',
    chat: target(settings['OPENAI_CHAT_MODEL'] ?? CHAT_MODEL),
    embeddings: target(settings['OPENAI_EMBEDDING_MODEL'] ?? EMBEDDING_MODEL),
  }
}

/** Portals show the endpoint with a trailing slash or with `/openai/v1`; both mean the account. */
function withoutPath(endpoint: string): string {
  const url = URL.parse(endpoint)
  if (!url) throw new Error(`AZURE_OPENAI_ENDPOINT is not a URL: ${endpoint}`)
  return url.origin
}
