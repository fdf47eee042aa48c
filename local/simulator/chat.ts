import { newAnswerId } from './answer-id'
import { composeAnswer, type ChatAnswer } from './chat-answer'
import { chatBody, type AnswerHead, type ChatUsage } from './chat-body'
import { parseChatRequest } from './chat-request'
import { chatScript } from './chat-stream'
import { promptFilteredBody } from './content-filter'
import type { Deployment } from './deployment'
import { contextLengthExceeded, operationNotSupported } from './errors'
import { resetAfterHeaders, sendJson } from './fault-play'
import type { ChosenFault } from './faults'
import type { Hints } from './hints'
import { beginCall, lateMs, refuseWrongModel, type InferenceCall } from './inference-call'
import { drawPace, type Pace } from './latency'
import { readPrompt } from './prompt'
import { StreamPump } from './stream-pump'
import { nowMs } from './ticker-wheel'

/** Serves a chat completion. Throws InvalidRequest for a body that the service would refuse. */
export function serveChat(call: InferenceCall): void {
  const { exchange, deployment, resource } = call
  if (refuseWrongModel(call, ['chat', 'reasoning'])) return
  if (deployment.facts.responsesOnly) {
    return exchange.refuse(operationNotSupported('chatCompletion', deployment.config.model))
  }
  const request = parseChatRequest(call.body, deployment.facts)
  exchange.record.stream = request.stream
  const prompt = readPrompt(request, deployment.tokenizer)
  const inputTokensMax = inputTokensMaxOf(deployment)
  if (prompt.tokens > inputTokensMax) return exchange.refuse(contextLengthExceeded(inputTokensMax, prompt.tokens))

  const cachedTokens = deployment.prefixes.visit(prompt.boundaries)
  const outputTokensMax = request.outputTokensMax === undefined ? undefined : request.outputTokensMax * request.choices
  const begun = beginCall(call, { promptTokens: prompt.tokens, cachedTokens, outputTokensMax }, prompt.hints)
  if (begun === undefined) return
  deployment.called?.()
  const { headers, fault } = begun
  const filtered = promptFilter(call, prompt.hints)
  if (filtered !== undefined) return exchange.json(400, filtered, headers)

  const answer = composeAnswer(deployment, { request, prompt, seed: resource.config.seed })
  exchange.record.outputTokens = answer.outputTokens
  exchange.record.reasoningTokens = answer.reasoningTokens
  const usage = { promptTokens: prompt.tokens, cachedTokens, ...answer }
  const pace = paceOf(deployment, answer.reasoningTokens, fault)
  const outgoing = { head: headOf(call, newAnswerId('chatcmpl-')), answer, usage, pace, fault, headers }
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

/** What every part of an answer repeats. */
export function headOf({ deployment, dialect }: InferenceCall, id: string): AnswerHead {
  return {
    id,
    created: Math.floor(Date.now() / 1_000),
    model: deployment.config.model,
    systemFingerprint: deployment.systemFingerprint,
    annotated: dialect === 'azure' && deployment.config.contentFilter !== 'off',
  }
}

/** Provisioned deployments take shorter prompts than their models could. */
export function inputTokensMaxOf({ facts, config }: Deployment): number {
  return config.admission.kind === 'provisioned'
    ? (facts.provisionedInputTokensMax ?? facts.inputTokensMax)
    : facts.inputTokensMax
}

/** The body of the 400 where the prompt is filtered. */
export function promptFilter({ dialect, deployment }: InferenceCall, hints: Hints | undefined): string | undefined {
  const filter = hints?.filter
  if (filter === undefined || filter === 'completion') return undefined
  return dialect === 'azure' && deployment.config.contentFilter !== 'off' ? promptFilteredBody(filter) : undefined
}

/** The times of one answer, as late as its fault makes it. */
export function paceOf(deployment: Deployment, reasoningTokens: number, chosen: ChosenFault | undefined): Pace {
  const pace = drawPace(deployment.config.latency, reasoningTokens, deployment.random)
  return { ...pace, firstTokenMs: pace.firstTokenMs + lateMs(chosen) }
}
