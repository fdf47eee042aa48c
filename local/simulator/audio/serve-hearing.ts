import { paceOf } from '../chat'
import type { StreamScript } from '../chat-stream'
import { operationNotSupported } from '../errors'
import { resetAfterHeaders, sendJson } from '../fault-play'
import { beginCall, refuseWrongModel, type InferenceCall } from '../inference-call'
import type { JsonObject } from '../json-value'
import { modelOperations } from '../model-operations'
import { hashText, mixHash } from '../random'
import { StreamPump } from '../stream-pump'
import { nowMs } from '../ticker-wheel'
import { parseHearingRequest, type HearingRequest } from './hearing-request'
import { soundSeconds } from './sound-length'
import { hear, transcriptText, verboseTranscript, type Transcript } from './transcript'

/** A second of sound is heard as ten tokens. */
const TOKENS_PER_SECOND = 10
/** What a sound's seed is taken from. */
const HASHED_BYTES = 65_536
const PLAIN = 'text/plain; charset=utf-8'

/** Serves a transcription or a translation. Throws InvalidRequest for a form that the service would refuse. */
export function serveHearing(call: InferenceCall): void {
  const { exchange, deployment, resource, operation } = call
  const { facts, config, tokenizer } = deployment
  if (refuseWrongModel(call, ['hearing'])) return
  if (operation === 'audio.translations' && facts.reportsTokens) {
    return exchange.refuse(operationNotSupported(modelOperations[operation].plainName, config.model))
  }
  const request = parseHearingRequest(call)
  exchange.record.stream = request.stream
  const seconds = soundSeconds(request.file.bytes)
  const read = tokenizer.read(request.prompt)
  const text = facts.reportsTokens ? read.tokens.length : 0
  const audio = facts.reportsTokens ? Math.ceil(seconds * TOKENS_PER_SECOND) : 0
  const asked = { promptTokens: text + audio, cachedTokens: 0, outputTokensMax: 0 }
  const begun = beginCall(call, asked, read.hints)
  if (begun === undefined) return
  const { headers, fault } = begun

  const sound = hashText(request.file.bytes.toString('latin1', 0, HASHED_BYTES))
  const seed = mixHash(mixHash(resource.config.seed, sound), read.hash)
  const transcript = hear(tokenizer, { seed, seconds, hints: read.hints })
  const output = facts.reportsTokens ? transcript.pieces.length : 0
  exchange.record.outputTokens = output
  exchange.record.audioSeconds = seconds
  const usage = facts.reportsTokens
    ? tokensUsage({ text, audio, output })
    : { type: 'duration', seconds: Math.ceil(seconds) }
  const pace = paceOf(deployment, 0, fault)
  if (request.stream) {
    if (fault?.fault.kind === 'reset-after-headers') {
      exchange.noteFault(fault, true)
      return resetAfterHeaders(exchange, headers, resource.wheel)
    }
    const script = transcriptScript(transcript, usage)
    return new StreamPump(exchange, { script, pace, headers, fault }, resource.wheel).start()
  }
  const answer = answerOf(transcript, request, { usage, operation })
  const send = () => sendJson(exchange, { ...answer, headers, fault }, resource.wheel)
  const delayMs = pace.firstTokenMs + pace.tokenMs * transcript.pieces.length
  if (delayMs === 0) send()
  else resource.wheel.at(nowMs() + delayMs, send)
}

const tokensUsage = ({ text, audio, output }: { text: number; audio: number; output: number }): JsonObject => ({
  type: 'tokens',
  input_tokens: text + audio,
  input_token_details: { text_tokens: text, audio_tokens: audio },
  output_tokens: output,
  total_tokens: text + audio + output,
})

/** A translation reports no usage. Source: the types of OpenAI's SDK, 7.55. */
function answerOf(
  transcript: Transcript,
  request: HearingRequest,
  { usage, operation }: { usage: JsonObject; operation: InferenceCall['operation'] },
): { body: string; type?: string } {
  const transcribes = operation === 'audio.transcriptions'
  const reported = transcribes ? { usage } : {}
  switch (request.format) {
    case 'json':
      return { body: JSON.stringify({ text: transcript.pieces.join('').trim(), ...reported }) }
    case 'verbose_json': {
      const verbose = verboseTranscript(transcript, request, transcribes ? 'transcribe' : 'translate')
      return { body: JSON.stringify({ ...verbose, ...reported }) }
    }
    case 'text':
    case 'srt':
    case 'vtt':
      return { body: transcriptText(transcript, request.format), type: PLAIN }
  }
}

/** `transcript.text.delta` for each token, and `transcript.text.done` with the usage. There is no `[DONE]`. */
function transcriptScript({ pieces }: Transcript, usage: JsonObject): StreamScript {
  const event = (value: JsonObject) => `data: ${JSON.stringify(value)}\n\n`
  return {
    head: '',
    steps: pieces.length,
    // A token that ends inside a character has no text of its own yet.
    step: (index) => (pieces[index] ? event({ type: 'transcript.text.delta', delta: pieces[index] }) : ''),
    tokens: () => 1,
    tail: event({ type: 'transcript.text.done', text: pieces.join('').trim(), usage }),
    done: '',
  }
}
