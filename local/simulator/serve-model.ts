import { serveChat } from './chat'
import { serveCompletions } from './completions'
import { serveEmbeddings } from './embeddings'
import { resourceNotFound } from './errors'
import { serveImages } from './images/serve-images'
import type { InferenceCall } from './inference-call'
import type { OperationName } from './model-operations'
import { serveResponse } from './responses/serve-response'

/** Each serves its call, or throws InvalidRequest for a body that the service would refuse. */
const serving: Readonly<Partial<Record<OperationName, (call: InferenceCall) => void>>> = {
  chat: serveChat,
  completions: serveCompletions,
  responses: serveResponse,
  embeddings: serveEmbeddings,
  'images.generations': serveImages,
  'images.edits': serveImages,
}

/** Serves a call of a model, whichever it is. Throws InvalidRequest for a body that the service would refuse. */
export function serveModel(call: InferenceCall): void {
  const serve = serving[call.operation]
  if (serve === undefined) return call.exchange.refuse(resourceNotFound)
  serve(call)
}
