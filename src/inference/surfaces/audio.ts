import { Problem } from '../../base/problem'
import { checkText, invalid, readBoolean } from '../body-fields'
import type { Body, Operation, Reading } from '../operation'
import type { Call } from '../read-call'
import { noMedia, noTokens, type TokenUsage } from '../../metering/usage-record'
import { notOffered } from '../references'
import { soundMs, usageOfAnswer } from '../read-usage'
import { textTokens } from '../text-tokens'

const SPOKEN_CHARACTERS_MAX = 4_096
/** Compressed speech is 2,000 to 16,000 bytes a second, and about 10 tokens a second. The estimate is for dense files. */
const SOUND_BYTES_PER_TOKEN = 400
/** What is said takes 2 to 3 tokens a second of text. */
const TEXT_TOKENS_PER_SOUND_TOKEN = 0.3
/** Spoken, a token of text lasts a good third of a second and is heard as 20 tokens a second. */
const SPOKEN_TOKENS_PER_TEXT_TOKEN = 8

const none = { wantsUsageChunk: false, outputTokens: undefined, outputParam: undefined, choices: 1 }

/** Text from sound, in its own language. */
export const transcriptions: Operation = {
  name: 'audio.transcriptions',
  method: 'POST',
  path: '/audio/transcriptions',
  capability: 'transcription',
  body: 'form',
  events: 'transcript',
  mayAnswerText: true,
  read: readSound,
  promptTokens: soundTokens,
  outputField: undefined,
  requestedOutput: (call) => Math.ceil(soundTokens(call) * TEXT_TOKENS_PER_SOUND_TOKEN),
  usageOf: (answer) => usageOfAnswer(answer) ?? durationOf(answer),
}

/** Text from sound, in English. */
export const translations: Operation = {
  ...transcriptions,
  name: 'audio.translations',
  path: '/audio/translations',
  events: undefined,
}

/** Sound from text. */
export const speech: Operation = {
  name: 'audio.speech',
  method: 'POST',
  path: '/audio/speech',
  capability: 'speech',
  body: 'json',
  events: undefined,
  answersBytes: true,
  read: (body) => {
    const faulty = checkText(body, 'input', SPOKEN_CHARACTERS_MAX) ?? checkFormat(body) ?? checkVoice(body)
    return faulty ?? { stream: false, ...none }
  },
  promptTokens: ({ body }) => textTokens(String(body['input'])),
  outputField: undefined,
  requestedOutput: ({ body }) => textTokens(String(body['input'])) * SPOKEN_TOKENS_PER_TEXT_TOKEN,
}

/** Events in place of sound would be metered by nobody: they are not offered. */
function checkFormat(body: Body): Problem | undefined {
  const format = body['stream_format']
  if (format === undefined || format === null || format === 'audio') return undefined
  return invalid('stream_format', 'must be "audio" here')
}

/** Voices that somebody had made are an account's, and named by an object; those of the model have names. */
const checkVoice = ({ voice }: Body) => (typeof voice === 'object' && voice !== null ? notOffered('voice') : undefined)

function readSound(body: Body, files: readonly string[]): Reading | Problem {
  if (!files.includes('file')) return invalid('file', 'must be a file')
  const stream = readBoolean(body, 'stream')
  return stream instanceof Problem ? stream : { stream, ...none }
}

function soundTokens({ fileBytes }: Call): number {
  return Math.ceil(fileBytes / SOUND_BYTES_PER_TOKEN)
}

const VERBOSE_BYTES = 400
/** `"duration": 8.47` of verbose JSON, which stands before its text. */
const DURATION = /"duration":\s*"?(\d+(?:\.\d+)?)/
/** The end of a subtitle: `00:01:07,200` in SRT, `01:07.200` or with hours in VTT. */
const SUBTITLE_END = /-->\s*(?:(\d+):)?(\d{2}):(\d{2})[.,](\d{3})/g

/** How long the sound was, where the answer shows it: the provider bills older models by the second. */
function durationOf(answer: Buffer): TokenUsage | undefined {
  const seconds = DURATION.exec(answer.toString('utf8', 0, VERBOSE_BYTES))?.[1] ?? lastSubtitleSeconds(answer)
  const audioMs = seconds === undefined ? undefined : soundMs(Number(seconds))
  return audioMs === undefined ? undefined : { ...noTokens, media: { ...noMedia, audioMs } }
}

function lastSubtitleSeconds(answer: Buffer): number | undefined {
  const [, hours = '0', minutes, seconds, ms] = [...answer.toString('latin1').matchAll(SUBTITLE_END)].at(-1) ?? []
  if (minutes === undefined) return undefined
  return (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds) + Number(ms) / 1_000
}
