import type { BackendCredentials } from '../azure/backend-credentials'
import { UpstreamError } from '../azure/upstream-error'
import type { UpstreamHttp } from '../azure/upstream-http'
import { ProblemError } from '../base/problem'
import type { Backend } from '../routing/backend'
import { smallestCall, type SmallestCall } from '../tenants/smallest-call'
import type { ModelAlias } from '../tenants/snapshot'

/** What one real call of a backend shows. */
export type Probe =
  /** `model` is what the answer says it is of; undefined where the deployment is there and takes no call so small. */
  | { readonly kind: 'answers'; readonly model: string | undefined }
  /** Our credential has no right here, or there is none. */
  | { readonly kind: 'denied'; readonly status: number; readonly code: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** Throttled, unreachable or broken: later it may be otherwise. */
  | { readonly kind: 'unsure'; readonly detail: string }

export interface ProbeDeps {
  readonly upstream: Pick<UpstreamHttp, 'send'>
  readonly credentials: BackendCredentials
}

const TIMEOUT_MS = 60_000
const ANSWER_BYTES_MAX = 1024 * 1024
type ProbedAlias = Pick<ModelAlias, 'capabilities' | 'outputTokensMax' | 'outputTokensField'>

/** The smallest call that the alias's model takes. It is the platform's, and metered for no tenant. */
export async function probeBackend(deps: ProbeDeps, backend: Backend, alias: ProbedAlias): Promise<Probe> {
  try {
    return await call(deps, backend, alias)
  } catch (error) {
    if (error instanceof UpstreamError) return { kind: 'unsure', detail: error.message }
    if (error instanceof ProblemError) return { kind: 'denied', status: 401, code: error.message }
    throw error
  }
}

async function call({ upstream, credentials }: ProbeDeps, backend: Backend, alias: ProbedAlias): Promise<Probe> {
  const { origin, pathname } = new URL(backend.endpoint)
  const proof = await credentials.headerOf(backend, 'api-key')
  const tried = smallestCall(alias, 'ping')
  const { path, body: asked } = tried ?? notItsOwn
  const answer = await upstream.send({
    origin,
    path: `${pathname === '/' ? '' : pathname}${pathOf(backend, path)}`,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'tenantry',
      ...(proof ? { [proof[0]]: proof[1] } : {}),
    },
    body: Buffer.from(JSON.stringify(asked)),
    firstByteTimeoutMs: TIMEOUT_MS,
    idleTimeoutMs: TIMEOUT_MS,
  })
  const body = parsed(await answer.body.readAll(ANSWER_BYTES_MAX))
  const probe = probeOf(answer.status, body)
  // A deployment that is not there, and a credential without rights, are refused before the operation is looked at.
  return !tried && probe.kind === 'refused' ? { kind: 'answers', model: undefined } : probe
}

/** A call that a model of images or sound refuses. */
const notItsOwn: SmallestCall = { path: '/embeddings', body: { input: 'ping' } }

function pathOf({ deployment, api }: Backend, path: string): string {
  const version = api.kind === 'azure-openai' ? api.apiVersion : ''
  return `/openai/deployments/${encodeURIComponent(deployment)}${path}?api-version=${version}`
}

function probeOf(status: number, { model, code }: { model: string; code: string }): Probe {
  if (status === 200) return { kind: 'answers', model }
  if (status === 401 || status === 403) return { kind: 'denied', status, code }
  if (status === 404) return { kind: 'missing' }
  if (status === 408 || status === 429 || status >= 500) return { kind: 'unsure', detail: `HTTP ${status}` }
  return { kind: 'refused', status, code }
}

function parsed(body: Buffer | undefined): { model: string; code: string } {
  const none = { model: '', code: 'no code' }
  try {
    const { model, error } = JSON.parse(body?.toString() ?? '') as { model?: unknown; error?: { code?: unknown } }
    return {
      model: typeof model === 'string' ? model : none.model,
      code: typeof error?.code === 'string' ? error.code.slice(0, 100) : none.code,
    }
  } catch {
    return none
  }
}

/** What stands behind a model's name in answers: a date, a short version, a fine-tuning. `gpt-4.1` is not `gpt-4.1-mini`. */
const VERSION = /^(?:-\d{4}-\d{2}-\d{2}|-\d{4}|-v?\d{1,3})?(?:\.ft-.+)?$/

export const isModel = (answered: string, model: string): boolean =>
  answered.startsWith(model) && VERSION.test(answered.slice(model.length))
