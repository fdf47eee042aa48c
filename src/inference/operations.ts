import type { Operation } from './operation'
import { speech, transcriptions, translations } from './surfaces/audio'
import { chatCompletions } from './surfaces/chat-completions'
import { completions } from './surfaces/completions'
import { embeddings } from './surfaces/embeddings'
import { responses } from './surfaces/responses'
import { imageEdits, imageGenerations } from './surfaces/images'

/** Every surface: how it is read, estimated and forwarded. What all have in common is in `serve`, and none passes it by. */
export const operations: readonly Operation[] = [
  chatCompletions,
  completions,
  responses,
  embeddings,
  imageGenerations,
  imageEdits,
  transcriptions,
  translations,
  speech,
]

/**
 * The URL families of Azure OpenAI that clients use.
 * `deployments`: `/openai/deployments/{d}/…?api-version=`; `v1`: `/openai/v1/…`; `bare`: `/openai/…` without either,
 * which `@ai-sdk/azure` sends when it is given a base URL.
 */
export type UrlFamily = 'deployments' | 'v1' | 'bare'
