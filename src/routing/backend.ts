import type { UpstreamCredential } from '../azure/backend-credentials'
import type { BackendId } from '../base/ids'

/** One place that can serve a model: an Azure OpenAI deployment, or a model of any OpenAI-compatible server. */
export interface Backend {
  readonly id: BackendId
  readonly name: string
  readonly api: BackendApi
  /** Origin and base path without a trailing slash: `https://acct.openai.azure.com`, or `http://localhost:11434/v1`. */
  readonly endpoint: string
  /** The deployment's name at the provider, or the model's name at an OpenAI-compatible server. */
  readonly deployment: string
  /** Keys are never stored: it names the app setting (in the cloud a Key Vault reference) that holds the key. */
  readonly credential: UpstreamCredential
  /** Azure region (`swedencentral`), compared with a tenant's residency; `local` for a server of one's own. */
  readonly region: string
  /** Provisioned throughput is tried before pay-as-you-go of the same group. */
  readonly capacity: 'ptu' | 'payg'
  readonly enabled: boolean
}

export type BackendApi =
  /** Both URL families of Azure OpenAI; `apiVersion` is sent where the client's call names none. */
  | { readonly kind: 'azure-openai'; readonly apiVersion: string }
  /** `{endpoint}/chat/completions` and `{endpoint}/embeddings` with the model in the body. */
  | { readonly kind: 'openai-compatible' }
