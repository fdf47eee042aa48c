import { Problem } from '../base/problem'
import { noTokens, type TokenUsage } from '../metering/usage-record'
import { renderProblem, type Answer } from './answer'
import { answerHeaders, asJson } from './answer-headers'
import type { Grant } from './authorize'
import { isOverStatus, type ResponseBinding } from './binding'
import type { Estimate } from './estimate'
import type { UpstreamAnswer } from './forward'
import { parseMadeResponse, renamed } from './made-response'
import type { RelayContext } from './relay-stream'

/** A response on its way to its client. */
export interface RelayedResponse {
  readonly binding: ResponseBinding
  /** By which it was answered, after a fallback another's than it was asked of. */
  readonly grant: Grant
  readonly estimate: Estimate
}

type WholeAnswer = Extract<UpstreamAnswer, { kind: 'whole' }>

/** Hands a response that came whole on under our id, once its usage is in the log and what is kept of it is in storage. */
export async function relayWholeResponse(
  answer: WholeAnswer,
  context: RelayContext,
  { binding, grant, estimate }: RelayedResponse,
): Promise<Answer> {
  const { running, requestId } = context
  const { status, body, backend, attempts } = answer
  const made = parseMadeResponse(body)
  const isLate = binding.isBackground && made !== undefined
  const usage = made?.usage ?? (isLate ? estimatedUsage(estimate) : { ...noTokens, promptTokens: estimate.prompt })
  const outcome = !made || made.status === 'failed' ? 'interrupted' : 'completed'
  running.end({ outcome, status, usage, estimated: !made?.usage, backend, attempts, isMeteredLater: isLate })
  if (!made) {
    await running.durable()
    return renderProblem(new Problem('upstream_failed', 'The model backend sent no response object.'), requestId)
  }
  const { upstreamId } = made
  binding.begun({ upstreamId, backend, grant, estimate, ended: isOverStatus(made.status) ? made : undefined })
  await Promise.all([running.durable(), binding.kept()])
  const renames = [...binding.renames, { upstreamId, ourId: binding.id }]
  return { status, headers: asJson(answerHeaders(answer.headers, context)), body: renamed(body, renames) }
}

/** What the limits keep for a response until its own usage is known. */
export const estimatedUsage = ({ prompt, total }: Estimate): TokenUsage => ({
  ...noTokens,
  promptTokens: prompt,
  outputTokens: total - prompt,
})
