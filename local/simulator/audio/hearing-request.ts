import type { FormFile } from '../form-body'
import type { InferenceCall } from '../inference-call'
import { invalidRequest } from '../errors'
import { InvalidRequest, readChoice, refuse } from '../request-fields'

export interface HearingRequest {
  readonly file: FormFile
  readonly format: 'json' | 'text' | 'srt' | 'verbose_json' | 'vtt'
  readonly stream: boolean
  readonly prompt: string
  /** As ISO 639-1; English where none is named, and where it is translated into. */
  readonly language: string
  readonly words: boolean
  readonly segments: boolean
}

const FILE_BYTES_MAX = 25 * 1_024 * 1_024
const extensions = ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']
const olderFormats = ['json', 'text', 'srt', 'verbose_json', 'vtt'] as const
const newerFormats = ['json'] as const

/** Reads the form of a transcription or translation. Throws InvalidRequest with the body to answer. */
export function parseHearingRequest({ body, files, deployment, operation }: InferenceCall): HearingRequest {
  const file = files.find(({ name }) => name === 'file')
  if (file === undefined) return refuse("Missing required parameter: 'file'.", 'file', 'missing_required_parameter')
  checkFile(file)
  const older = !deployment.facts.reportsTokens
  const translates = operation === 'audio.translations'
  const text = (name: string, other: string) => (typeof body[name] === 'string' ? body[name] : other)
  const asked = text('response_format', 'json')
  const format: HearingRequest['format'] = older
    ? readChoice(asked, 'response_format', olderFormats)
    : readChoice(asked, 'response_format', newerFormats)
  const granularities = body['timestamp_granularities']
  const named = Array.isArray(granularities) ? granularities : ['segment']
  return {
    file,
    format,
    // Older models take no notice of it. Source: OpenAI's reference.
    stream: text('stream', 'false') === 'true' && !older && !translates,
    prompt: text('prompt', ''),
    language: translates ? 'en' : text('language', 'en'),
    words: named.includes('word'),
    segments: named.includes('segment'),
  }
}

function checkFile({ bytes, filename }: FormFile): void {
  if (bytes.length > FILE_BYTES_MAX) {
    const message = `Maximum content size limit (${FILE_BYTES_MAX}) exceeded (${bytes.length} bytes read)`
    throw new InvalidRequest(invalidRequest(message, { status: 413, param: 'file' }))
  }
  const extension = filename.slice(filename.lastIndexOf('.') + 1).toLowerCase()
  if (bytes.length > 0 && extensions.includes(extension)) return
  const known = extensions.map((each) => `'${each}'`).join(', ')
  refuse(`Unrecognized file format. Supported formats: [${known}]`, 'file', 'unsupported_format')
}
