import { serveHearing } from './audio/serve-hearing'
import { serveSpeech } from './audio/serve-speech'
import { serveChat } from './chat'
import { serveCompletions } from './completions'
import { serveEmbeddings } from './embeddings'
import { serveImages } from './images/serve-images'
import type { InferenceCall } from './inference-call'
import type { OperationName } from './model-operations'
import { serveResponse } from './responses/serve-response'

/** Each serves its call, or throws InvalidRequest for a body that the service would refuse. */
const serving: Readonly<Record<OperationName, (call: InferenceCall) => void>> = {
  chat: serveChat,
  completions: serveCompletions,
  responses: serveResponse,
  embeddings: serveEmbeddings,
  'images.generations': serveImages,
  'images.edits': serveImages,
  'audio.transcriptions': serveHearing,
  'audio.translations': serveHearing,
  'audio.speech': serveSpeech,
}

/** Serves a call of a model, whichever it is. Throws InvalidRequest for a body that the service would refuse. */
export function serveModel(call: InferenceCall): void {
  serving[call.operation](call)
}
