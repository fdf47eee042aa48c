import { generateText, vocabularyOf } from '../generate-text'
import type { JsonObject } from '../json-value'
import type { Hints } from '../hints'
import type { Tokenizer } from '../tokens'
import type { HearingRequest } from './hearing-request'

/** What was heard. */
export interface Transcript {
  readonly pieces: readonly string[]
  readonly seconds: number
  readonly segments: readonly Segment[]
}

interface Segment {
  readonly start: number
  readonly end: number
  readonly pieces: readonly string[]
}

/** People say two to three tokens a second. */
const TOKENS_PER_SECOND = 2.5
const TOKENS_MAX = 2_000
const SEGMENT_TOKENS = 12

/** What is said in a sound: the same for the same seed, or what its prompt asks for. */
export function hear(
  tokenizer: Tokenizer,
  { seed, seconds, hints }: { seed: number; seconds: number; hints: Hints | undefined },
): Transcript {
  const tokens = hints?.tokens ?? Math.min(TOKENS_MAX, Math.max(1, Math.round(seconds * TOKENS_PER_SECOND)))
  const pieces =
    hints?.echo === undefined ? generateText(vocabularyOf(tokenizer), seed, tokens) : tokenizer.pieces(hints.echo)
  const perPiece = pieces.length === 0 ? 0 : seconds / pieces.length
  const segments: Segment[] = []
  for (let at = 0; at < pieces.length; at += SEGMENT_TOKENS) {
    const said = pieces.slice(at, at + SEGMENT_TOKENS)
    segments.push({ start: at * perPiece, end: (at + said.length) * perPiece, pieces: said })
  }
  return { pieces, seconds, segments }
}

const textOf = (pieces: readonly string[]): string => pieces.join('').trim()

/** The transcript as text in one of the formats that are no JSON. */
export function transcriptText({ pieces, segments }: Transcript, format: 'text' | 'srt' | 'vtt'): string {
  if (format === 'text') return `${textOf(pieces)}\n`
  const mark = format === 'srt' ? ',' : '.'
  const cues = segments.map(({ start, end, pieces: said }, index) => {
    const number = format === 'srt' ? `${index + 1}\n` : ''
    return `${number}${clock(start, mark)} --> ${clock(end, mark)}\n${textOf(said)}\n\n`
  })
  return (format === 'vtt' ? 'WEBVTT\n\n' : '') + cues.join('')
}

/** `00:01:07,200` */
function clock(seconds: number, mark: string): string {
  const ms = Math.round(seconds * 1_000)
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const fraction = String(ms % 1_000).padStart(3, '0')
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1_000) % 60)}${mark}${fraction}`
}

/** `verbose_json`, without its usage. */
export function verboseTranscript(
  { pieces, seconds, segments }: Transcript,
  request: HearingRequest,
  task: 'transcribe' | 'translate',
): JsonObject {
  return {
    task,
    language: new Intl.DisplayNames(['en'], { type: 'language' }).of(request.language)?.toLowerCase(),
    duration: rounded(seconds),
    text: textOf(pieces),
    ...(request.words ? { words: segments.flatMap(wordsOf) } : {}),
    ...(request.segments ? { segments: segments.map(segmentObject) } : {}),
  }
}

const rounded = (seconds: number): number => Math.round(seconds * 100) / 100

function segmentObject({ start, end, pieces }: Segment, id: number): JsonObject {
  return {
    id,
    seek: 0,
    start: rounded(start),
    end: rounded(end),
    text: pieces.join(''),
    tokens: [],
    temperature: 0,
    avg_logprob: -0.25,
    compression_ratio: 1.1,
    no_speech_prob: 0.01,
  }
}

/** Words share the time of their segment evenly. */
function wordsOf({ start, end, pieces }: Segment): JsonObject[] {
  const words = textOf(pieces).split(/\s+/)
  const each = (end - start) / words.length
  return words.map((word, index) => ({
    word,
    start: rounded(start + index * each),
    end: rounded(start + (index + 1) * each),
  }))
}
