import { Problem, ProblemError } from '../../base/problem'
import { smallestCall } from '../../tenants/smallest-call'
import type { ModelAlias } from '../../tenants/snapshot'

/** What a call through the public endpoint was answered with. */
export interface PublicAnswer {
  readonly status: number
  /** The error's code, where the body is an error of ours. */
  readonly code: string | undefined
  readonly message: string | undefined
  readonly tokens: number
  readonly text: string
}

/** The way that every client goes: by the network, to the address that clients are given. */
export interface PublicEndpoint {
  readonly publicUrl: string
}

const TIMEOUT_MS = 60_000
const PROMPT = 'Answer with the one word: ready'

type CalledAlias = Pick<ModelAlias, 'name' | 'capabilities' | 'outputTokensMax' | 'outputTokensField'>

/** Whether the validation makes a call of it. */
export const isTried = (alias: CalledAlias): boolean => smallestCall(alias, PROMPT) !== undefined

/** The smallest call of an alias that is tried; of another one a call that reaches no model. */
export function callAlias(endpoint: PublicEndpoint, apiKey: string, alias: CalledAlias): Promise<PublicAnswer> {
  const { path, body } = smallestCall(alias, PROMPT) ?? { path: '/embeddings', body: { input: PROMPT } }
  return send(endpoint, apiKey, { method: 'POST', path: `/openai/v1${path}`, body: { model: alias.name, ...body } })
}

/** Throws a retryable problem when there was no answer at all. */
export async function send(
  { publicUrl }: PublicEndpoint,
  apiKey: string,
  { method, path, body }: { method: string; path: string; body?: object },
): Promise<PublicAnswer> {
  try {
    const answer = await fetch(publicUrl + path, {
      method,
      headers: { 'api-key': apiKey, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await answer.text()
    return { status: answer.status, text, ...read(text) }
  } catch (error) {
    throw new ProblemError(
      new Problem(
        'public_endpoint_unreachable',
        `${method} ${publicUrl}${path} was not answered. Is TENANTRY_PUBLIC_URL right?`,
      ),
      { cause: error },
    )
  }
}

interface KnownBody {
  readonly error?: { readonly code?: unknown; readonly message?: unknown }
  readonly code?: unknown
  readonly detail?: unknown
  readonly usage?: { readonly total_tokens?: unknown }
}

function read(text: string): Pick<PublicAnswer, 'code' | 'message' | 'tokens'> {
  const body = parse(text)
  const code = body.error?.code ?? body.code
  const message = body.error?.message ?? body.detail
  const tokens = body.usage?.total_tokens
  return {
    code: typeof code === 'string' ? code : undefined,
    message: typeof message === 'string' ? message : undefined,
    tokens: typeof tokens === 'number' ? tokens : 0,
  }
}

function parse(text: string): KnownBody {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : {}
  } catch {
    return {}
  }
}
