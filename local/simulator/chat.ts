import { composeAnswer, type ChatAnswer } from './chat-answer'
import { chatBody, type AnswerHead, type ChatUsage } from './chat-body'
import { parseChatRequest } from './chat-request'
import { chatScript } from './chat-stream'
import { promptFilteredBody } from './content-filter'
import type { Deployment } from './deployment'
import { contextLengthExceeded, operationNotSupported } from './errors'
import type { Exchange } from './exchange'
import { chooseFault, playInsteadOfAnswer, resetAfterHeaders, sendJson } from './fault-play'
import type { AimedFault, ChosenFault } from './faults'
import type { JsonObject } from './json-value'
import { drawPace, type Pace } from './latency'
import { readPrompt, type Prompt } from './prompt'
import type { ModelAccount } from './model-account'
import type { Resource } from './resource'
import { StreamPump } from './stream-pump'
import { nowMs } from './ticker-wheel'

/** One inference call whose credential and deployment are known and whose body is JSON. */
export interface InferenceCall {
  readonly resource: Resource
  readonly account: ModelAccount
  readonly exchange: Exchange
  readonly deployment: Deployment
  readonly body: JsonObject
  readonly dialect: 'azure' | 'compatible'
  readonly apiVersion: string
  readonly headerFaults: readonly AimedFault[]
}

/** Serves a chat completion. Throws InvalidRequest for a body that the service would refuse. */
export function serveChat(call: InferenceCall): void {
  const { exchange, deployment, resource } = call
  const { facts, config } = deployment
  if (facts.kind === 'embeddings') return exchange.refuse(operationNotSupported('chatCompletion', config.model))
  const request = parseChatRequest(call.body, facts)
  exchange.record.stream = request.stream
  const prompt = readPrompt(request, deployment.tokenizer)
  const inputTokensMax = inputTokensMaxOf(deployment)
  if (prompt.tokens > inputTokensMax) return exchange.refuse(contextLengthExceeded(inputTokensMax, prompt.tokens))

  const cachedTokens = deployment.prefixes.visit(prompt.boundaries)
  const admitted = deployment.admission.admit({
    deployment: deployment.name,
    model: facts.name,
    operation: 'ChatCompletions_Create',
    apiVersion: call.apiVersion,
    region: call.account.region,
    promptTokens: prompt.tokens,
    cachedTokens,
    outputTokensMax: request.outputTokensMax === undefined ? undefined : request.outputTokensMax * request.choices,
  })
  if (admitted.kind === 'refused') return exchange.refuse(admitted.refusal)
  exchange.onEnd(() => admitted.settle(exchange.record))

  const fault = chooseFault(deployment, call.headerFaults, prompt.hints?.faults)
  if (fault !== undefined && playInsteadOfAnswer(exchange, fault)) return
  exchange.record.promptTokens = prompt.tokens
  exchange.record.cachedTokens = cachedTokens
  const filtered = promptFilter(call, prompt)
  if (filtered !== undefined) return exchange.json(400, filtered, admitted.headers)

  const answer = composeAnswer(deployment, { request, prompt, seed: resource.config.seed })
  exchange.record.outputTokens = answer.outputTokens
  exchange.record.reasoningTokens = answer.reasoningTokens
  const usage = { promptTokens: prompt.tokens, cachedTokens, ...answer }
  const pace = paceOf(deployment, answer, fault)
  const outgoing = { head: headOf(call), answer, usage, pace, fault, headers: admitted.headers }
  if (request.stream) sendStream(call, outgoing, request.includeUsage)
  else sendWhole(call, outgoing)
}

interface Outgoing {
  readonly head: AnswerHead
  readonly answer: ChatAnswer
  readonly usage: ChatUsage
  readonly pace: Pace
  readonly fault: ChosenFault | undefined
  readonly headers: readonly string[]
}

function sendWhole(
  { exchange, resource }: InferenceCall,
  { head, answer, usage, pace, fault, headers }: Outgoing,
): void {
  exchange.record.answerId = head.id
  const send = () => sendJson(exchange, { body: chatBody(head, answer, usage), headers, fault }, resource.wheel)
  const visibleTokens = answer.outputTokens - answer.reasoningTokens
  const delayMs = pace.firstTokenMs + visibleTokens * pace.tokenMs
  if (delayMs === 0) send()
  else resource.wheel.at(nowMs() + delayMs, send)
}

function sendStream(
  { exchange, resource, deployment }: InferenceCall,
  { head, answer, usage, pace, fault, headers }: Outgoing,
  includeUsage: boolean,
): void {
  exchange.record.answerId = head.id
  if (fault?.fault.kind === 'reset-after-headers') {
    exchange.noteFault(fault, true)
    return resetAfterHeaders(exchange, headers, resource.wheel)
  }
  const script = chatScript(head, answer, usage, {
    includeUsage,
    withholdUsage: fault?.fault.kind === 'no-usage',
    filterMode: deployment.config.contentFilter === 'asynchronous' ? 'asynchronous' : 'default',
  })
  new StreamPump(exchange, { script, pace, headers, fault }, resource.wheel).start()
}

function headOf({ deployment, dialect }: InferenceCall): AnswerHead {
  return {
    id: newAnswerId(),
    created: Math.floor(Date.now() / 1_000),
    model: deployment.config.model,
    systemFingerprint: deployment.systemFingerprint,
    annotated: dialect === 'azure' && deployment.config.contentFilter !== 'off',
  }
}

function inputTokensMaxOf({ facts, config }: Deployment): number {
  return config.admission.kind === 'provisioned'
    ? (facts.provisionedInputTokensMax ?? facts.inputTokensMax)
    : facts.inputTokensMax
}

function promptFilter({ dialect, deployment }: InferenceCall, { hints }: Prompt): string | undefined {
  const filter = hints?.filter
  if (filter === undefined || filter === 'completion') return undefined
  return dialect === 'azure' && deployment.config.contentFilter !== 'off' ? promptFilteredBody(filter) : undefined
}

function paceOf(deployment: Deployment, answer: ChatAnswer, chosen: ChosenFault | undefined): Pace {
  const pace = drawPace(deployment.config.latency, answer.reasoningTokens, deployment.random)
  if (chosen?.fault.kind !== 'slow-first-token') return pace
  return { ...pace, firstTokenMs: pace.firstTokenMs + chosen.fault.delayMs }
}

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** Groups of characters, each from one draw: a draw holds 52 bits, and a draw per character would cost more than the rest. */
const ID_GROUP_CHARS = [8, 7, 7, 7]

/** The form of the service's own ids: 29 letters and digits. */
function newAnswerId(): string {
  let id = 'chatcmpl-'
  for (const chars of ID_GROUP_CHARS) {
    let drawn = Math.random()
    for (let index = 0; index < chars; index++) {
      drawn *= ID_ALPHABET.length
      id += ID_ALPHABET.charAt(drawn)
      drawn -= Math.floor(drawn)
    }
  }
  return id
}
