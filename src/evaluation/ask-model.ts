import type { Caller } from '../access/caller'
import { fieldsOf } from '../base/json-object'
import { Problem } from '../base/problem'
import type { AnswerForTenant, CallForTenant } from '../inference/call-for-tenant'
import { chatCompletions } from '../inference/surfaces/chat-completions'
import type { ModelAlias, TenantSnapshot } from '../tenants/snapshot'
import type { Said } from './evaluation-run'

export type CallModel = (call: CallForTenant) => Promise<AnswerForTenant | Problem>

/** Whom to ask, and in whose name. */
export interface Asking {
  readonly call: CallModel
  readonly tenant: TenantSnapshot
  readonly caller: Caller
}

export interface Question {
  readonly alias: ModelAlias
  readonly messages: readonly object[]
  readonly tools?: readonly object[] | undefined
  /** At most as much as the alias allows. */
  readonly outputTokens: number
}

export type Reply =
  /** `remaining` is what the tenant's limits have left, 0 to 1. */
  | { readonly kind: 'said'; readonly said: Said; readonly remaining: number }
  /** No answer now. `broken`: somebody broke, rather than asking to be patient. */
  | { readonly kind: 'again'; readonly afterMs: number; readonly broken?: Broken | undefined }
  /** Asking this or anything else again would not help. */
  | { readonly kind: 'refused'; readonly problem: Problem }

/** Over this question, perhaps; or whatever is asked. */
export type Broken = { readonly kind: 'here' } | { readonly kind: 'everywhere'; readonly problem: Problem }

const EVALUATION_PURPOSE = 'evaluation'
/** Where nobody says how long to wait. */
const AGAIN_MS = 5_000
/** Of one answer; models generate no more than 128,000 tokens. */
const ANSWER_CHARACTERS_MAX = 512 * 1024

/** Asks one model one thing, as greedily as it can be asked, so that the same question has the same answer as far as models do that. */
export async function askModel({ call, tenant, caller }: Asking, question: Question): Promise<Reply> {
  const { alias, messages, tools, outputTokens } = question
  const isReasoning = alias.outputTokensField === 'max_completion_tokens'
  const answer = await call({
    tenant,
    caller,
    alias,
    operation: chatCompletions,
    purpose: EVALUATION_PURPOSE,
    body: {
      messages,
      ...(tools && tools.length > 0 ? { tools } : {}),
      // Reasoning models refuse any other temperature than their own.
      ...(isReasoning ? {} : { temperature: 0 }),
      [alias.outputTokensField]: Math.min(outputTokens, alias.outputTokensMax),
    },
  })
  if (answer instanceof Problem) return replyTo(answer)
  const { status, body, remaining } = answer
  if (status === 200) return { kind: 'said', said: { kind: 'answered', text: textIn(body) }, remaining }
  // What a backend refuses of this one question it may well take of the next: a content filter, a context that is too long.
  return { kind: 'said', said: { kind: 'unanswered', code: codeIn(body) ?? `http_${status}` }, remaining }
}

function replyTo(problem: Problem): Reply {
  const { code, retryAfterMs = AGAIN_MS } = problem
  const { status, blame, retryable } = problem.entry
  // This question is larger than the tenant's limit, or names what is not there: others may be asked.
  const isOfQuestion = code === 'request_above_token_limit' || code === 'invalid_request' || code === 'body_too_large'
  if (isOfQuestion) return { kind: 'said', said: { kind: 'unanswered', code }, remaining: 1 }
  const again = { kind: 'again', afterMs: retryAfterMs } as const
  if (retryable) return status >= 500 && blame === 'upstream' ? { ...again, broken: { kind: 'here' } } : again
  // Backends come and go with what operators do to them.
  return status >= 500 ? { ...again, broken: { kind: 'everywhere', problem } } : { kind: 'refused', problem }
}

/** Empty where a model calls a tool, refuses, or has its answer filtered: it was asked and did not say what was wanted. */
function textIn(body: unknown): string {
  const choices = fieldsOf(body)['choices']
  const [first]: readonly unknown[] = Array.isArray(choices) ? choices : []
  const { content } = fieldsOf(fieldsOf(first)['message'])
  return typeof content === 'string' ? content.slice(0, ANSWER_CHARACTERS_MAX) : ''
}

const CODE = /^[A-Za-z0-9_.-]{1,64}$/

function codeIn(body: unknown): string | undefined {
  const { code } = fieldsOf(fieldsOf(body)['error'])
  return typeof code === 'string' && CODE.test(code) ? code : undefined
}
