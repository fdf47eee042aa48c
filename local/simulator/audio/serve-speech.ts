import { paceOf } from '../chat'
import type { StreamScript } from '../chat-stream'
import { resetAfterHeaders } from '../fault-play'
import { beginCall, refuseWrongModel, type InferenceCall } from '../inference-call'
import type { JsonObject } from '../json-value'
import { mixHash } from '../random'
import { readChoice, readNumber, refuse, refuseType, requireField } from '../request-fields'
import { StreamPump } from '../stream-pump'
import { soundTypes, speechSound, type SoundFormat } from './speech-sound'

interface SpeechRequest {
  readonly input: string
  readonly format: SoundFormat
  readonly speed: number
  readonly asEvents: boolean
}

const INPUT_CHARACTERS_MAX = 4_096
const CHARACTERS_PER_SECOND = 15
/** A second of speech is twenty tokens. */
const TOKENS_PER_SECOND = 20
/** A part of a sound that is sent while the next is made. */
const PART_BYTES = 8_192
const formats = ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm'] as const

/** Serves speech, sent in parts as it is made. Throws InvalidRequest for a body that the service would refuse. */
export function serveSpeech(call: InferenceCall): void {
  const { exchange, deployment, resource } = call
  const { facts, tokenizer } = deployment
  if (refuseWrongModel(call, ['speech'])) return
  const request = parseSpeechRequest(call.body, facts.reportsTokens)
  exchange.record.stream = request.asEvents
  const read = tokenizer.read(request.input)
  const promptTokens = facts.reportsTokens ? read.tokens.length : 0
  const seconds = request.input.length / CHARACTERS_PER_SECOND / request.speed
  const spoken = Math.ceil(seconds * TOKENS_PER_SECOND)
  const outputTokens = facts.reportsTokens ? spoken : 0
  const begun = beginCall(call, { promptTokens, cachedTokens: 0, outputTokensMax: outputTokens }, read.hints)
  if (begun === undefined) return
  const { headers, fault } = begun
  exchange.record.outputTokens = outputTokens
  exchange.record.audioSeconds = seconds
  if (fault?.fault.kind === 'reset-after-headers') {
    exchange.noteFault(fault, true)
    return resetAfterHeaders(exchange, headers, resource.wheel)
  }
  const sound = speechSound(request.format, seconds, mixHash(resource.config.seed, read.hash))
  const parts = partsOf(sound)
  const tokens = shares(outputTokens, parts.length)
  const { firstTokenMs, tokenMs } = paceOf(deployment, 0, fault)
  const pace = { firstTokenMs, tokenMs: (tokenMs * spoken) / parts.length }
  const usage = { input_tokens: promptTokens, output_tokens: outputTokens, total_tokens: promptTokens + outputTokens }
  const script = request.asEvents ? eventScript(parts, tokens, usage) : soundScript(parts, tokens, request.format)
  new StreamPump(exchange, { script, pace, headers, fault }, resource.wheel).start()
}

function parseSpeechRequest(body: JsonObject, newer: boolean): SpeechRequest {
  const { input, voice } = body
  requireField(input, 'input')
  if (typeof input !== 'string') return refuseType('input', 'a string', input)
  if (input === '') refuse("Invalid 'input': string too short.", 'input', 'string_below_min_length')
  if (input.length > INPUT_CHARACTERS_MAX) {
    const text = `Invalid 'input': string too long. Expected a string with maximum length ${INPUT_CHARACTERS_MAX}.`
    refuse(text, 'input', 'string_above_max_length')
  }
  requireField(voice, 'voice')
  if (typeof voice !== 'string') return refuseType('voice', 'a string', voice)
  const asEvents = readChoice(body['stream_format'] ?? 'audio', 'stream_format', ['audio', 'sse']) === 'sse'
  if (asEvents && !newer) refuse("'sse' is not supported with this model.", 'stream_format', 'unsupported_value')
  return {
    input,
    format: readChoice(body['response_format'] ?? 'mp3', 'response_format', formats),
    speed: readNumber(body['speed'], 'speed', { whole: false, min: 0.25, max: 4 }) ?? 1,
    asEvents,
  }
}

function partsOf(sound: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < sound.length; at += PART_BYTES) parts.push(sound.subarray(at, at + PART_BYTES))
  return parts
}

/** Whole numbers that add up to a sum, as even as they can be. */
function shares(sum: number, count: number): (index: number) => number {
  return (index) => Math.floor((sum * (index + 1)) / count) - Math.floor((sum * index) / count)
}

/** The bytes themselves, in a body whose length is not known before. Such a stream has no words for an error. */
function soundScript(parts: readonly Buffer[], tokens: (index: number) => number, format: SoundFormat): StreamScript {
  return {
    head: '',
    steps: parts.length,
    step: (index) => parts[index]?.toString('latin1') ?? '',
    tokens,
    tail: '',
    done: '',
    error: null,
    form: { type: soundTypes[format], encoding: 'latin1' },
  }
}

function eventScript(parts: readonly Buffer[], tokens: (index: number) => number, usage: JsonObject): StreamScript {
  const event = (value: JsonObject) => `data: ${JSON.stringify(value)}\n\n`
  return {
    head: '',
    steps: parts.length,
    step: (index) => event({ type: 'speech.audio.delta', audio: parts[index]?.toString('base64') }),
    tokens,
    tail: event({ type: 'speech.audio.done', usage }),
    done: '',
  }
}
