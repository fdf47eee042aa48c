import { Problem } from '../base/problem'
import { noTokens } from '../metering/usage-record'
import { errorBody, type Answer } from './answer'
import { answerHeaders, asJson, JSON_TYPE } from './answer-headers'
import type { UpstreamAnswer } from './forward'
import { renamedError } from './made-response'
import { relayWholeResponse } from './relay-response'
import type { RelayContext } from './relay-stream'
import { usageOfAnswer } from './read-usage'

type WholeAnswer = Extract<UpstreamAnswer, { kind: 'whole' }>

/** Hands a whole answer on, byte for byte, once its usage is in the log. */
export async function relayWhole(answer: WholeAnswer, context: RelayContext): Promise<Answer> {
  const { running, promptEstimate } = context
  const { status, body, backend, attempts } = answer
  const { call, response } = context
  running.firstByte()
  if (status === 200 && response) return relayWholeResponse(answer, context, response)
  if (status === 200) {
    const reported = call.operation.usageOf ? call.operation.usageOf(body, call) : usageOfAnswer(body)
    const usage = reported ?? { ...noTokens, promptTokens: promptEstimate }
    running.end({ outcome: 'completed', status, usage, estimated: !reported, backend, attempts })
  } else {
    // A filtered prompt is billed for its evaluation (azure-facts 1.6); any other refusal is free.
    const billed = body.includes('content_filter')
    const usage = billed ? { ...noTokens, promptTokens: promptEstimate } : noTokens
    running.end({ outcome: 'rejected', status, usage, estimated: billed, backend, attempts })
  }
  await running.durable()
  const headers = answerHeaders(answer.headers, context)
  if (status === 200) return { status, headers: call.operation.mayAnswerText ? headers : asJson(headers), body }
  const shown = response ? renamedError(body, response.binding.renames) : body
  return { status, headers: { ...headers, ...JSON_TYPE }, body: asErrorBody(status, shown) }
}

/** Error bodies of another shape than OpenAI's family in SDKs as "status code (no body)", so they are put in its shape. */
export function asErrorBody(status: number, body: Buffer): Buffer | string {
  try {
    const value = JSON.parse(body.toString('utf8')) as { error?: unknown } | null
    if (typeof value?.error === 'object' && value.error !== null) return body
  } catch {
    // Not JSON: rendered below.
  }
  const problem = new Problem('invalid_request', `The model backend refused the call with HTTP ${status}.`)
  return JSON.stringify(errorBody(problem))
}
