import { paceOf, promptFilter } from '../chat'
import type { StreamScript } from '../chat-stream'
import { answerFilterSafe, promptFilterSafe } from '../content-filter'
import { contextLengthExceeded, operationNotSupported, serverErrorMessage } from '../errors'
import { resetAfterHeaders, sendJson } from '../fault-play'
import { beginCall, refuseWrongModel, type InferenceCall } from '../inference-call'
import type { JsonObject } from '../json-value'
import { modelOperations } from '../model-operations'
import { mixHash } from '../random'
import { StreamPump } from '../stream-pump'
import { nowMs } from '../ticker-wheel'
import { parseImageRequest, type ImageRequest } from './image-request'
import { imageTokens, type ImageTokens } from './image-tokens'
import { solidPng } from './png'

/** Serves a generation or an edit of images. Throws InvalidRequest for a body that the service would refuse. */
export function serveImages(call: InferenceCall): void {
  const { exchange, deployment, resource, operation } = call
  const { facts, tokenizer } = deployment
  if (refuseWrongModel(call, ['images'])) return
  if (operation === 'images.edits' && !facts.reportsTokens) {
    return exchange.refuse(operationNotSupported(modelOperations[operation].plainName, deployment.config.model))
  }
  const request = parseImageRequest(call, facts)
  exchange.record.stream = request.stream
  const read = tokenizer.read(request.prompt)
  const tokens = facts.reportsTokens ? imageTokens(request, tokenizer) : { text: 0, image: 0, output: 0 }
  const promptTokens = tokens.text + tokens.image
  if (tokens.text > facts.inputTokensMax) {
    return exchange.refuse(contextLengthExceeded(facts.inputTokensMax, tokens.text, 'prompt'))
  }
  const begun = beginCall(call, { promptTokens, cachedTokens: 0, outputTokensMax: tokens.output }, read.hints)
  if (begun === undefined) return
  const { headers, fault } = begun
  const filtered = promptFilter(call, read.hints)
  if (filtered !== undefined) return exchange.json(400, filtered, headers)

  exchange.record.outputTokens = tokens.output
  exchange.record.images = request.images
  const seed = mixHash(resource.config.seed, read.hash)
  const draw = (index: number) => solidPng(request.size, mixHash(seed, index), read.hints?.bytes ?? 0)
  const pace = paceOf(deployment, 0, fault)
  if (request.stream) {
    if (fault?.fault.kind === 'reset-after-headers') {
      exchange.noteFault(fault, true)
      return resetAfterHeaders(exchange, headers, resource.wheel)
    }
    const type = operation === 'images.edits' ? 'image_edit' : 'image_generation'
    const script = imageScript(type, request, tokens, draw)
    // An image is drawn as a whole: its time comes before it, and nothing is paced within.
    const times = { firstTokenMs: pace.firstTokenMs + (pace.tokenMs * tokens.output) / script.steps, tokenMs: 0 }
    return new StreamPump(exchange, { script, pace: times, headers, fault }, resource.wheel).start()
  }
  const send = () => {
    const body = JSON.stringify(imagesObject(call, request, tokens, draw))
    sendJson(exchange, { body, headers, fault }, resource.wheel)
  }
  const delayMs = pace.firstTokenMs + pace.tokenMs * tokens.output
  if (delayMs === 0) send()
  else resource.wheel.at(nowMs() + delayMs, send)
}

type Draw = (index: number) => Buffer

/** Newer models describe the image and report tokens; older ones revise the prompt and say what the filter found. */
function imagesObject(call: InferenceCall, request: ImageRequest, tokens: ImageTokens, draw: Draw): JsonObject {
  const created = Math.floor(Date.now() / 1_000)
  const { deployment, exchange, dialect } = call
  const annotated = dialect === 'azure' && deployment.config.contentFilter !== 'off'
  if (deployment.facts.reportsTokens) {
    const data = Array.from({ length: request.images }, (_, index) => ({ b64_json: draw(index).toString('base64') }))
    return { created, ...look(request), data, usage: usageOf(tokens) }
  }
  const filters = {
    content_filter_results: JSON.parse(answerFilterSafe) as unknown,
    prompt_filter_results: JSON.parse(promptFilterSafe) as unknown,
  }
  const revised_prompt = `${request.prompt} In clear light, with much detail.`
  const image = request.byUrl
    ? { url: `https://dalleproduse.blob.core.windows.net/private/images/${exchange.id}/generated_00.png?sig=simulated` }
    : { b64_json: draw(0).toString('base64') }
  return { created, data: [{ ...image, revised_prompt, ...(annotated ? filters : {}) }] }
}

const look = ({ background, format, quality, size }: ImageRequest): JsonObject => ({
  background,
  output_format: format,
  quality,
  size: `${size.width}x${size.height}`,
})

const usageOf = ({ text, image, output }: ImageTokens): JsonObject => ({
  input_tokens: text + image,
  input_tokens_details: { text_tokens: text, image_tokens: image },
  output_tokens: output,
  total_tokens: text + image + output,
})

/** Partial images and then the whole one, with the usage. There is no `[DONE]`. */
function imageScript(
  type: 'image_generation' | 'image_edit',
  request: ImageRequest,
  tokens: ImageTokens,
  draw: Draw,
): StreamScript {
  const created_at = Math.floor(Date.now() / 1_000)
  const event = (name: string, fields: JsonObject) =>
    `event: ${name}\ndata: ${JSON.stringify({ type: name, created_at, ...look(request), ...fields })}\n\n`
  const whole = request.partials
  const failure = {
    type: 'error',
    error: { type: 'server_error', code: 'server_error', message: serverErrorMessage, param: null },
  }
  return {
    head: '',
    steps: request.partials + 1,
    step: (index) => {
      const b64_json = draw(index).toString('base64')
      if (index === whole) return event(`${type}.completed`, { b64_json, usage: usageOf(tokens) })
      return event(`${type}.partial_image`, { b64_json, partial_image_index: index })
    },
    // What a whole image costs is sent with it.
    tokens: (index) => (index === whole ? tokens.output : 0),
    tail: '',
    done: '',
    error: () => `event: error\ndata: ${JSON.stringify(failure)}\n\n`,
  }
}
