import type { UpstreamCredential } from '../azure/backend-credentials'
import type { BackendId, TenantId } from '../base/ids'
import type { TimeoutsInput } from './backend-timeouts'
import type { ThroughputInput } from './throughput'

/** One place that can serve a model: an Azure OpenAI deployment, or a model of any OpenAI-compatible server. */
export interface Backend {
  readonly id: BackendId
  readonly name: string
  readonly api: BackendApi
  /** Origin and base path without a trailing slash: `https://acct.openai.azure.com`, or `http://localhost:11434/v1`. */
  readonly endpoint: string
  /** The deployment's name at the provider, or the model's name at an OpenAI-compatible server. */
  readonly deployment: string
  /** Keys are never stored: it names the app setting (in the cloud a Key Vault reference), or the owner's secret, that holds the key. */
  readonly credential: UpstreamCredential
  /** Azure region (`swedencentral`), compared with a tenant's residency; `local` for a server of one's own. */
  readonly region: string
  /** Provisioned throughput is tried before pay-as-you-go of the same group. */
  readonly capacity: 'ptu' | 'payg'
  readonly enabled: boolean
  /** What provisioned throughput can take, so that calls spill over before it refuses; absent: its answers alone tell how full it is. */
  readonly throughput?: ThroughputInput | undefined
  /** In place of the defaults. */
  readonly timeouts?: TimeoutsInput | undefined
  /**
   * The tenant whose backend it is: only its aliases may name it, and only its calls are led there. Absent where the
   * platform's tenants share it.
   */
  readonly ownerTenantId?: TenantId | undefined
  /** Who may be led to it besides its owner: to a model that is made for several tenants. At most 200. */
  readonly sharedWith?: readonly TenantId[] | undefined
  /** The Entra directory of its account, where that is not the platform's own. */
  readonly directoryId?: string | undefined
  /** The deployment's Azure resource id, where the platform made it. */
  readonly resourceId?: string | undefined
}

/** Whether a tenant may name the backend, and be served by it (product 2.1). */
export const isBackendFor = ({ ownerTenantId, sharedWith }: Backend, tenantId: TenantId): boolean =>
  ownerTenantId === undefined || ownerTenantId === tenantId || sharedWith?.includes(tenantId) === true

export type BackendApi =
  /** Both URL families of Azure OpenAI; `apiVersion` is sent where the client's call names none. */
  | { readonly kind: 'azure-openai'; readonly apiVersion: string }
  /** `{endpoint}/chat/completions` and `{endpoint}/embeddings` with the model in the body. */
  | { readonly kind: 'openai-compatible' }
