import type { Capability } from '../tenants/snapshot'

/** What an inference endpoint can be asked to do. Every surface is a row here; none has a way of its own through `serve`. */
export interface Operation {
  /** As the usage log names it. */
  readonly name: OperationName
  readonly method: 'GET' | 'POST'
  /** The path behind `/openai/v1`, `/openai` or `/openai/deployments/{deployment}`. */
  readonly path: string
  /** What the alias must be able to do. */
  readonly capability: Capability
  /** Whether the body may ask for a stream. */
  readonly streams: boolean
}

export type OperationName = 'chat.completions' | 'embeddings'

export const operations: readonly Operation[] = [
  { name: 'chat.completions', method: 'POST', path: '/chat/completions', capability: 'chat', streams: true },
  { name: 'embeddings', method: 'POST', path: '/embeddings', capability: 'embeddings', streams: false },
]

/**
 * The URL families of Azure OpenAI that clients use.
 * `deployments`: `/openai/deployments/{d}/…?api-version=`; `v1`: `/openai/v1/…`; `bare`: `/openai/…` without either,
 * which `@ai-sdk/azure` sends when it is given a base URL.
 */
export type Surface = 'deployments' | 'v1' | 'bare'
