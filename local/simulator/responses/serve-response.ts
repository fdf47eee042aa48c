import { BackgroundWork } from '../background-work'
import { inputTokensMaxOf, paceOf, promptFilter } from '../chat'
import { composeAnswer } from '../chat-answer'
import { contextLengthExceeded, invalidRequest } from '../errors'
import { newDraft } from '../exchange'
import { resetAfterHeaders, sendJson } from '../fault-play'
import { beginCall, refuseWrongModel, type Begun, type InferenceCall } from '../inference-call'
import type { JsonObject } from '../json-value'
import type { Pace } from '../latency'
import { readPrompt } from '../prompt'
import { InvalidRequest } from '../request-fields'
import type { AccountStore } from '../stored/account-store'
import { StreamPump } from '../stream-pump'
import { nowMs } from '../ticker-wheel'
import { parseResponseRequest, type ResponseRequest } from './response-request'
import { ResponseRun } from './response-run'
import { responseScript } from './response-script'
import { followLog } from './follow-log'
import { runInBackground } from './run-in-background'

/** Serves the creation of a response. Throws InvalidRequest for a body that the service would refuse. */
export function serveResponse(call: InferenceCall): void {
  const { exchange, deployment, resource, account, body } = call
  if (refuseWrongModel(call, ['chat', 'reasoning'])) return
  const store = resource.stores.of(account)
  const request = parseResponseRequest(body, deployment.facts, earlierItems(store, body['previous_response_id']))
  exchange.record.stream = request.stream
  const prompt = readPrompt(request.chat, deployment.tokenizer)
  const inputTokensMax = inputTokensMaxOf(deployment)
  if (prompt.tokens > inputTokensMax) {
    return exchange.refuse(contextLengthExceeded(inputTokensMax, prompt.tokens, 'input'))
  }
  const cachedTokens = deployment.prefixes.visit(prompt.boundaries)
  const asked = { promptTokens: prompt.tokens, cachedTokens, outputTokensMax: request.chat.outputTokensMax }
  const background = request.background ? beginBackground(call) : undefined
  const begun = beginCall(call, asked, prompt.hints, background)
  if (begun === undefined) return background?.drop()
  deployment.called?.()
  const filtered = promptFilter(call, prompt.hints)
  if (filtered !== undefined) {
    background?.drop()
    exchange.record.promptTokens = prompt.tokens
    return exchange.json(400, filtered, begun.headers)
  }

  const answer = composeAnswer(deployment, { request: request.chat, prompt, seed: resource.config.seed })
  const annotated = call.dialect === 'azure' && deployment.config.contentFilter !== 'off'
  const { items } = request
  const parts = { body, model: deployment.name, items, answer, ...asked, background: request.background }
  const run = new ResponseRun({ ...parts, store: request.store, annotated })
  const { record } = background ?? exchange
  record.outputTokens = answer.outputTokens
  record.reasoningTokens = answer.reasoningTokens
  record.answerId = run.id
  exchange.record.answerId = run.id
  const outgoing = { run, request, begun, pace: paceOf(deployment, answer.reasoningTokens, begun.fault), store }
  if (background !== undefined) sendFromBackground(call, outgoing, background)
  else if (request.stream) sendStream(call, outgoing)
  else sendWhole(call, outgoing)
}

interface Outgoing {
  readonly run: ResponseRun
  readonly request: ResponseRequest
  readonly begun: Begun
  readonly pace: Pace
  readonly store: AccountStore
}

/** What was said up to a response that this one follows. */
function earlierItems(store: AccountStore, previousId: unknown): readonly JsonObject[] {
  if (typeof previousId !== 'string') return []
  const previous = store.responses.get(previousId)
  if (previous !== undefined) return [...previous.parts.items, ...previous.output]
  const message = `Previous response with id '${previousId}' not found.`
  const code = 'previous_response_not_found'
  throw new InvalidRequest(invalidRequest(message, { status: 404, param: 'previous_response_id', code }))
}

function beginBackground({ resource, account, exchange, deployment }: InferenceCall): BackgroundWork {
  const { id, path, clientRequestId, stream, credentialKind } = exchange.record
  const known = {
    id,
    path,
    clientRequestId,
    stream,
    credentialKind,
    operation: 'responses',
    work: 'background',
  } as const
  return new BackgroundWork(resource, newDraft({ ...known, account: account.name, deployment: deployment.name }))
}

/** Kept once it is done: nobody was told its id before. */
function sendWhole({ exchange, resource }: InferenceCall, { run, request, begun, pace, store }: Outgoing): void {
  const { headers, fault } = begun
  const { outputTokens, reasoningTokens } = run.parts.answer
  const send = () => {
    if (exchange.closed) return
    run.finish()
    if (request.store) store.responses.set(run.id, run)
    sendJson(exchange, { body: JSON.stringify(run.object()), headers, fault }, resource.wheel)
  }
  const delayMs = pace.firstTokenMs + (outputTokens - reasoningTokens) * pace.tokenMs
  if (delayMs === 0) send()
  else resource.wheel.at(nowMs() + delayMs, send)
}

function sendStream({ exchange, resource }: InferenceCall, { run, request, begun, pace, store }: Outgoing): void {
  const { headers, fault } = begun
  if (fault?.fault.kind === 'reset-after-headers') {
    exchange.noteFault(fault, true)
    return resetAfterHeaders(exchange, headers, resource.wheel)
  }
  if (request.store) store.responses.set(run.id, run)
  // A response without background ends with the connection that asked for it.
  exchange.onEnd(() => run.cancel())
  new StreamPump(exchange, { script: responseScript(run), pace, headers, fault }, resource.wheel).start()
}

function sendFromBackground(
  { exchange, resource }: InferenceCall,
  { run, request, begun, pace, store }: Outgoing,
  work: BackgroundWork,
): void {
  const { headers, fault } = begun
  store.responses.set(run.id, run)
  const queued = JSON.stringify(run.object())
  const { queuedMs } = resource.config.responses
  runInBackground(work, { run, pace, fault, queuedMs, logged: request.stream }, resource.wheel)
  if (run.log === undefined)
    return sendJson(exchange, { body: queued, headers, fault: spoilsAnswer(fault) }, resource.wheel)
  followLog(exchange, run.log, { from: 0, headers, fault })
}

/** A fault of the work is not one of the answer that says that it was begun. */
function spoilsAnswer(fault: Begun['fault']): Begun['fault'] {
  return fault?.fault.kind === 'mid-stream-error' || fault?.fault.kind === 'throttled-stream' ? undefined : fault
}
