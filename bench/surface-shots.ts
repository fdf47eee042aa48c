import type { Shot } from './load'

/** One kind of call: the deployment and alias that it names are called alike, so that it is the same at the simulator and at the app. */
export interface Surface {
  readonly name: string
  /** Name of the deployment and of the alias. */
  readonly deployment: string
  /** For the simulator and for the alias. */
  readonly model: { readonly version: string; readonly name: string }
  readonly capability: string
  readonly isStream: boolean
  readonly request: Pick<Shot, 'path' | 'body'> & { readonly contentType: string }
}

const API_VERSION = '2025-04-01-preview'
const OUTPUT_TOKENS = 64
const TEXT = 'What is the capital of France? Name its river too.'
const MESSAGES = [
  { role: 'system', content: 'You answer briefly.' },
  { role: 'user', content: TEXT },
]
/** What is no WAV is as long as an MP3 of its size, 128 kbit/s; a quarter of a second. */
const sound = { field: 'file', filename: 'sound.mp3', text: 'sound '.repeat(700) }
const picture = { field: 'image', filename: 'picture.png', text: 'picture '.repeat(500) }
const BOUNDARY = 'tenantry-bench-boundary'

const chatModel = { version: 'gpt-4.1-mini-2025-04-14', name: 'gpt-4.1-mini' }
const chat = { deployment: 'bench-chat', model: chatModel, capability: 'chat' }
const completions = {
  deployment: 'bench-completions',
  model: { version: 'gpt-35-turbo-instruct-0914', name: 'gpt-35-turbo-instruct' },
  capability: 'completions',
}
const embeddings = {
  deployment: 'bench-embeddings',
  model: { version: 'text-embedding-3-small', name: 'text-embedding-3-small' },
  capability: 'embeddings',
}
const images = {
  deployment: 'bench-images',
  model: { version: 'gpt-image-1-2025-04-15', name: 'gpt-image-1' },
  capability: 'images',
}
const hearing = {
  deployment: 'bench-hearing',
  model: { version: 'gpt-4o-transcribe-2025-03-20', name: 'gpt-4o-transcribe' },
  capability: 'transcription',
}
const speech = {
  deployment: 'bench-speech',
  model: { version: 'gpt-4o-mini-tts-2025-03-20', name: 'gpt-4o-mini-tts' },
  capability: 'speech',
}

/** The two that the others are compared with stand first: an answer that comes whole, and one that is streamed. */
export const surfaces: readonly Surface[] = [
  json('chat', chat, '/chat/completions', { messages: MESSAGES, max_tokens: OUTPUT_TOKENS }),
  json('chat, streamed', chat, '/chat/completions', { messages: MESSAGES, max_tokens: OUTPUT_TOKENS, stream: true }),
  json('completions', completions, '/completions', { prompt: TEXT, max_tokens: OUTPUT_TOKENS }),
  json('completions, streamed', completions, '/completions', { prompt: TEXT, max_tokens: OUTPUT_TOKENS, stream: true }),
  responses('responses, not stored', { store: false }),
  responses('responses, streamed, not stored', { store: false, stream: true }),
  responses('responses, stored', { store: true }),
  json('embeddings', embeddings, '/embeddings', { input: TEXT, encoding_format: 'base64' }),
  json('embeddings of 16 texts', embeddings, '/embeddings', { input: Array(16).fill(TEXT), encoding_format: 'base64' }),
  json('images', images, '/images/generations', { prompt: TEXT, size: '1024x1024', quality: 'low' }),
  form('images, edited', images, '/images/edits', { prompt: TEXT, quality: 'low' }, picture),
  form('transcription', hearing, '/audio/transcriptions', { response_format: 'json' }, sound),
  form('transcription, streamed', hearing, '/audio/transcriptions', { stream: 'true' }, sound),
  json('speech', speech, '/audio/speech', { input: TEXT, voice: 'alloy', response_format: 'mp3' }),
]

type Kind = Pick<Surface, 'deployment' | 'model' | 'capability'>

function json(name: string, kind: Kind, path: string, body: Record<string, unknown>): Surface {
  return {
    name,
    ...kind,
    isStream: body['stream'] === true,
    request: {
      path: pathOf(kind, path),
      contentType: 'application/json',
      body: JSON.stringify({ model: kind.deployment, ...body }),
    },
  }
}

function responses(name: string, body: Record<string, unknown>): Surface {
  const surface = json(name, chat, '/responses', { input: TEXT, max_output_tokens: OUTPUT_TOKENS, ...body })
  return { ...surface, request: { ...surface.request, path: `/openai/responses?api-version=${API_VERSION}` } }
}

function form(name: string, kind: Kind, path: string, fields: Record<string, string>, file: typeof sound): Surface {
  const part = (disposition: string, value: string) =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`
  const parts = [
    ...Object.entries({ model: kind.deployment, ...fields }).map(([field, value]) => part(`name="${field}"`, value)),
    part(`name="${file.field}"; filename="${file.filename}"`, file.text),
  ]
  return {
    name,
    ...kind,
    isStream: fields['stream'] === 'true',
    request: {
      path: pathOf(kind, path),
      contentType: `multipart/form-data; boundary=${BOUNDARY}`,
      body: `${parts.join('')}--${BOUNDARY}--\r\n`,
    },
  }
}

function pathOf({ deployment }: Kind, path: string): string {
  return `/openai/deployments/${deployment}${path}?api-version=${API_VERSION}`
}

/** The call at a server, with its key. */
export function shotAt(origin: string, apiKey: string, { request }: Surface): Shot {
  const { path, body, contentType } = request
  return { origin, path, body, headers: { 'content-type': contentType, 'api-key': apiKey } }
}
