import type { TokenCredential } from '@azure/core-auth'
import type { Arm, ArmOutcome, ArmResource } from './arm'
import { TokenRefusedError } from './oauth-tokens'
import { retryAfterMs, type SmallAnswer, type SmallHttp } from './small-http'
import { UpstreamError } from './upstream-error'

const POLL_MS = 5_000
const BUSY_MS = 10_000
const MESSAGE_CHARACTERS_MAX = 500
/** Operations under way whose resource cannot be looked at yet, or not any more. */
const WATCHED_MAX = 1_000

/** Conflicts that end by themselves: another write to the resource or to its parent is under way (azure-facts 3.4). */
const PASSING_CONFLICTS: ReadonlySet<string> = new Set([
  'RequestConflict',
  'AnotherOperationInProgress',
  'AccountProvisioningStateInvalid',
  'StorageAccountOperationInProgress',
])
const ENDED_BADLY = /^(failed|canceled)$/i
const ENDED_WELL = /^(succeeded|disabled)$/i

export interface ArmDeps {
  /** Without a slash at the end: `https://management.azure.com`. */
  readonly url: string
  /** What tokens for it are made for; its address, unless it stands behind another one. */
  readonly audience: string
  readonly identity: TokenCredential
  readonly http: SmallHttp
}

/** ARM over HTTP. Nothing is retried in here: whoever asks comes again after `againAfterMs`, maybe in another process. */
export function createArm(deps: ArmDeps): Arm {
  const operations = new Map<string, string>()
  const call = async (method: Method, id: string, { apiVersion, query, body }: ArmRequest) => {
    const parameters = new URLSearchParams({ 'api-version': apiVersion, ...query })
    const answer = await exchange(deps, { method, url: `${deps.url}${id}?${parameters.toString()}`, body })
    if ('kind' in answer) return answer
    const operation = operationIn(answer, deps.url)
    if (operation !== undefined) watch(operations, id, operation)
    return outcomeOf(method, id, answer)
  }
  return {
    put: (id, apiVersion, body) => call('PUT', id, { apiVersion, body }),
    remove: (id, apiVersion) => call('DELETE', id, { apiVersion }),
    post: (id, apiVersion, body = {}) => call('POST', id, { apiVersion, body }),
    get: async (id, apiVersion, query) => {
      const outcome = await call('GET', id, { apiVersion, query })
      const operation = operations.get(id)
      if (operation === undefined) return outcome
      if (outcome.kind === 'ready') operations.delete(id)
      // What could not be made is simply not there: only its operation knows why.
      if (outcome.kind !== 'gone') return outcome
      const ended = await exchange(deps, { method: 'GET', url: operation })
      if ('kind' in ended) return ended
      const state = operationState(ended)
      if (state.kind !== 'under-way') operations.delete(id)
      return state
    },
    principalId: async () => claimOf(await tokenOf(deps), 'oid'),
  }
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

interface ArmRequest {
  readonly apiVersion: string
  readonly query?: Readonly<Record<string, string>> | undefined
  readonly body?: object | undefined
}

async function exchange(
  deps: ArmDeps,
  { method, url, body }: { method: Method; url: string; body?: object | undefined },
): Promise<SmallAnswer | ArmOutcome> {
  try {
    const headers = { authorization: `Bearer ${await tokenOf(deps)}`, 'content-type': 'application/json' }
    return await deps.http.send({ method, url, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  } catch (error) {
    if (error instanceof UpstreamError)
      return { kind: 'busy', code: 'Unreachable', message: error.message, againAfterMs: BUSY_MS }
    if (error instanceof TokenRefusedError)
      return { kind: 'refused', status: 401, code: error.code, message: error.message }
    throw error
  }
}

async function tokenOf({ identity, audience }: ArmDeps): Promise<string> {
  const token = await identity.getToken(`${audience}/.default`)
  if (!token) throw new TokenRefusedError('no_identity', 'The platform has no identity for Azure Resource Manager.')
  return token.token
}

/** Our own token is not verified: whoever issued it is asked by ARM. */
function claimOf(token: string, name: string): string {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const value = typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>)[name] : undefined
  if (typeof value !== 'string') throw new Error(`the platform's token has no claim ${name}`)
  return value
}

function outcomeOf(method: Method, id: string, answer: SmallAnswer): ArmOutcome {
  const { status, body } = answer
  if (status === 404 && method !== 'PUT' && method !== 'POST') return { kind: 'gone' }
  if (status === 204) return method === 'DELETE' ? { kind: 'gone' } : ready(id, {})
  if (status >= 300) return refusalOf(answer)
  const resource = resourceIn(id, body)
  if (status === 202) return { kind: 'under-way', resource, againAfterMs: retryAfterMs(answer, POLL_MS) }
  // A deletion answers with what it has deleted.
  if (method === 'DELETE') return { kind: 'gone' }
  const state = resource.properties['provisioningState']
  if (typeof state !== 'string' || ENDED_WELL.test(state)) return { kind: 'ready', resource }
  if (method === 'GET' && ENDED_BADLY.test(state)) {
    const message = `The resource is in state ${state}. ${errorIn(resource.properties).message}`.trim()
    return { kind: 'refused', status, code: 'ProvisioningFailed', message }
  }
  return { kind: 'under-way', resource, againAfterMs: retryAfterMs(answer, POLL_MS) }
}

function refusalOf(answer: SmallAnswer): ArmOutcome {
  const { status } = answer
  const { code, message } = errorIn(answer.body)
  const mayHeal = status === 429 || status === 408 || status >= 500 || (status === 409 && PASSING_CONFLICTS.has(code))
  if (mayHeal) return { kind: 'busy', code, message, againAfterMs: retryAfterMs(answer, BUSY_MS) }
  return { kind: 'refused', status, code, message }
}

/** The `status` of an asynchronous operation's own resource (ARM's asynchronous operations, "Azure-AsyncOperation"). */
function operationState(answer: SmallAnswer): ArmOutcome {
  const underWay: ArmOutcome = { kind: 'under-way', resource: undefined, againAfterMs: retryAfterMs(answer, POLL_MS) }
  if (answer.status === 404) return { kind: 'gone' }
  if (answer.status >= 300) return refusalOf(answer)
  if (answer.status === 202) return underWay
  const state = (answer.body as { status?: unknown } | undefined)?.status
  if (typeof state !== 'string' || ENDED_WELL.test(state)) return { kind: 'gone' }
  return ENDED_BADLY.test(state) ? { kind: 'refused', status: 409, ...errorIn(answer.body) } : underWay
}

/** Only addresses of ARM's own: the token goes along. */
function operationIn({ headers }: SmallAnswer, url: string): string | undefined {
  const operation = headers['azure-asyncoperation'] ?? headers['location']
  return typeof operation === 'string' && URL.parse(operation)?.origin === new URL(url).origin ? operation : undefined
}

function watch(operations: Map<string, string>, id: string, operation: string): void {
  operations.delete(id)
  operations.set(id, operation)
  const [oldest] = operations.keys()
  if (operations.size > WATCHED_MAX && oldest !== undefined) operations.delete(oldest)
}

const ready = (id: string, body: object): ArmOutcome => ({ kind: 'ready', resource: resourceIn(id, body) })

function resourceIn(id: string, body: unknown): ArmResource {
  const given = (typeof body === 'object' && body !== null ? body : {}) as Partial<ArmResource>
  const name = id.slice(id.lastIndexOf('/') + 1)
  // An action's answer is no resource: it is handed on whole.
  return { ...given, id: given.id ?? id, name: given.name ?? name, properties: given.properties ?? { ...given } }
}

/** ARM's error envelope, `{"error":{"code","message","details":[…]}}`, or, of Azure Monitor, what is in it without the envelope. */
function errorIn(body: unknown): { code: string; message: string } {
  const { error = body } = (body ?? {}) as { error?: unknown }
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return {
    code: textOf(code, 'Unknown').slice(0, 100),
    message: textOf(message, '').slice(0, MESSAGE_CHARACTERS_MAX),
  }
}

const textOf = (value: unknown, usual: string) => (typeof value === 'string' ? value : usual)
