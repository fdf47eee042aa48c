import { randomBytes } from 'node:crypto'
import type { OperationName } from '../../src/inference/operation'

/** One call of a surface as a client sends it. */
export interface Shot {
  readonly path: string
  readonly contentType: string
  readonly body: string | Buffer
}

/** A surface as the storm calls it: one alias that leads to two deployments, the second of which most faults spare. */
export interface Surface {
  readonly model: string
  readonly capability: string
  /** Whether it can be asked for events. */
  readonly streams: boolean
  /** The last event of a stream; an answer in one piece is whole when HTTP says so. */
  readonly lastEvent: RegExp
  /** Its answer is bytes that go on as they come: no error can be told in it, and no tokens. */
  readonly isBytes?: true
  shot(ask: { alias: string; text: string; stream: boolean }): Shot
}

const done = /data: \[DONE\]\s*$/
const json = (path: string, body: object): Shot => ({
  path: `/openai/v1${path}`,
  contentType: 'application/json',
  body: JSON.stringify(body),
})

/** 0.1 to 2 s of what is taken for sound by its size, in whole hundredths: answers tell no less. */
const sound = () => ({
  name: 'file',
  fileName: 'sound.mp3',
  bytes: randomBytes(160 * (10 + Math.floor(Math.random() * 190))),
})

function form(
  path: string,
  fields: Readonly<Record<string, string>>,
  file: { name: string; fileName: string; bytes: Buffer },
): Shot {
  const boundary = `chaos${randomBytes(8).toString('hex')}`
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="${file.name}"; filename="${file.fileName}"\r\n\r\n`
  return {
    path: `/openai/v1${path}`,
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([Buffer.from(parts.join('') + head), file.bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  }
}

export function surfaceOf(operation: OperationName): Surface {
  const surface = surfaces[operation]
  if (!surface) throw new Error(`${operation} has no row in test/chaos/surfaces.ts`)
  return surface
}

/** Every surface of `operations`, by its name: the storm does not begin without one that is missing here. */
export const surfaces: Readonly<Record<string, Surface>> = {
  'chat.completions': {
    model: 'gpt-4.1-mini',
    capability: 'chat',
    streams: true,
    lastEvent: done,
    shot: ({ alias, text, stream }) =>
      json('/chat/completions', { model: alias, messages: [{ role: 'user', content: text }], stream }),
  },
  completions: {
    model: 'gpt-35-turbo-instruct',
    capability: 'completions',
    streams: true,
    lastEvent: done,
    shot: ({ alias, text, stream }) => json('/completions', { model: alias, prompt: text, max_tokens: 100, stream }),
  },
  responses: {
    model: 'gpt-4.1-mini',
    capability: 'chat',
    streams: true,
    lastEvent: /"type":\s?"response\.completed"[^\n]*\s*$/,
    shot: ({ alias, text, stream }) =>
      json('/responses', { model: alias, input: text, max_output_tokens: 200, stream }),
  },
  embeddings: {
    model: 'text-embedding-3-small',
    capability: 'embeddings',
    streams: false,
    lastEvent: done,
    shot: ({ alias, text }) => json('/embeddings', { model: alias, input: text }),
  },
  'images.generations': {
    model: 'gpt-image-1',
    capability: 'images',
    streams: true,
    lastEvent: /"type":\s?"image_generation\.completed"[^\n]*\s*$/,
    shot: ({ alias, text, stream }) =>
      json('/images/generations', { model: alias, prompt: text, quality: 'low', n: stream ? 1 : 2, stream }),
  },
  'images.edits': {
    model: 'gpt-image-1',
    capability: 'images',
    streams: true,
    lastEvent: /"type":\s?"image_edit\.completed"[^\n]*\s*$/,
    shot: ({ alias, text, stream }) =>
      form(
        '/images/edits',
        { model: alias, prompt: text, quality: 'low', stream: String(stream) },
        { name: 'image', fileName: 'image.png', bytes: randomBytes(3_000) },
      ),
  },
  'audio.transcriptions': {
    model: 'gpt-4o-transcribe',
    capability: 'transcription',
    streams: true,
    lastEvent: /"type":\s?"transcript\.text\.done"[^\n]*\s*$/,
    shot: ({ alias, text, stream }) =>
      form('/audio/transcriptions', { model: alias, prompt: text, stream: String(stream) }, sound()),
  },
  'audio.translations': {
    model: 'whisper',
    capability: 'transcription',
    streams: false,
    lastEvent: done,
    shot: ({ alias, text }) =>
      form('/audio/translations', { model: alias, prompt: text, response_format: 'verbose_json' }, sound()),
  },
  'audio.speech': {
    model: 'gpt-4o-mini-tts',
    capability: 'speech',
    streams: false,
    lastEvent: done,
    isBytes: true,
    shot: ({ alias, text }) =>
      json('/audio/speech', { model: alias, input: text, voice: 'alloy', response_format: 'pcm' }),
  },
}
