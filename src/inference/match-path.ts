import { Problem } from '../base/problem'
import type { Operation } from './operation'
import { operations, type UrlFamily } from './operations'
import type { StoredOperation } from './stored-operation'

export type Target =
  /** An operation on a model; `deployment` is the path's, which wins over the body's `model`. */
  | {
      readonly kind: 'call'
      readonly operation: Operation
      readonly family: UrlFamily
      readonly deployment: string | undefined
      readonly apiVersion: string | undefined
    }
  /** `GET models` in either family's shape; one model where `model` is given. */
  | { readonly kind: 'models'; readonly family: UrlFamily; readonly model: string | undefined }
  /** An operation on what is kept for the tenant; `params` is what stands in the path's braces. */
  | {
      readonly kind: 'stored'
      readonly operation: StoredOperation
      readonly family: UrlFamily
      readonly deployment: string | undefined
      readonly apiVersion: string | undefined
      readonly params: Readonly<Record<string, string>>
    }

const BY_PATH = new Map(operations.map((operation) => [operation.path, operation]))
const DEPLOYMENT_PATH = /^\/deployments\/([^/]+)(\/.+)$/
const MODELS_PATH = /^\/models(?:\/([^/]+))?$/
/** Any dated version and the names that v1 knows: new versions must not need a release of ours. */
const API_VERSION = /^(?:\d{4}-\d{2}-\d{2}(?:-preview)?|v1|preview|latest)$/
const PATH_CHARACTERS_MAX = 2_048

/** The stored operations by the path that they have in common; a request's path is matched segment by segment. */
export interface StoredPaths {
  find(path: string, inDeployment: boolean): readonly StoredMatch[]
  readonly paths: readonly string[]
}

interface StoredMatch {
  readonly operation: StoredOperation
  readonly params: Readonly<Record<string, string>>
}

export function storedPaths(stored: readonly StoredOperation[]): StoredPaths {
  const rows = stored.map((operation) => ({ operation, segments: operation.path.split('/') }))
  return {
    find: (path, inDeployment) => {
      const given = path.split('/')
      return rows.flatMap(({ operation, segments }) => {
        if (inDeployment && !operation.inDeployment) return []
        const params = paramsOf(segments, given)
        return params ? [{ operation, params }] : []
      })
    },
    paths: [...new Set(stored.map(({ path }) => path))],
  }
}

function paramsOf(segments: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  if (segments.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [at, segment] of segments.entries()) {
    const value = given[at] ?? ''
    if (segment.startsWith('{')) {
      if (value === '') return undefined
      params[segment.slice(1, -1)] = decode(value)
    } else if (segment !== value) return undefined
  }
  return params
}

const noneStored = storedPaths([])

/** Reads method, path (from `/openai` on, without the query) and query into what is asked for. */
export function matchPath(
  method: string,
  path: string,
  query: URLSearchParams,
  stored: StoredPaths = noneStored,
): Target | Problem {
  if (path.length > PATH_CHARACTERS_MAX) return new Problem('not_found', 'The path is too long.')
  const { family, rest, deployment } = splitPath(path)
  const call = BY_PATH.get(rest)
  // Most requests are model calls, and their paths say so at once.
  const isCall = call?.method === method
  const models = !call && deployment === undefined ? MODELS_PATH.exec(rest) : null
  const matches = isCall || models ? [] : stored.find(rest, deployment !== undefined)
  if (!call && !models && matches.length === 0) return notFound(method, path, stored)

  const match = matches.find(({ operation }) => operation.method === method)
  if (!isCall && !match && !(models && method === 'GET')) {
    const others = matches.map(({ operation }) => operation.method)
    const allowed = [...(call ? [call.method] : []), ...(models ? ['GET'] : []), ...others].join(', ')
    const problem = `${rest} takes ${allowed}, not ${method}.`
    return new Problem('method_not_allowed', problem, { headers: { allow: allowed } })
  }
  const apiVersion = query.get('api-version') ?? undefined
  const versionProblem = checkApiVersion(family, apiVersion, models !== null)
  if (versionProblem) return versionProblem

  if (models) return { kind: 'models', family, model: models[1] === undefined ? undefined : decode(models[1]) }
  if (call && isCall) return { kind: 'call', operation: call, family, deployment, apiVersion }
  return match ? { kind: 'stored', ...match, family, deployment, apiVersion } : notFound(method, path, stored)
}

function splitPath(path: string): { family: UrlFamily; rest: string; deployment: string | undefined } {
  // An empty deployment name is no slash too many: what follows it would be taken for the name.
  const single = path.includes('//') ? path.replace(/(?<!\/deployments)\/{2,}/gi, '/') : path
  const bare = single.replace(/^\/openai/i, '').replace(/\/$/, '')
  if (bare.startsWith('/v1/')) return { family: 'v1', rest: bare.slice('/v1'.length), deployment: undefined }
  const scoped = DEPLOYMENT_PATH.exec(bare)
  if (scoped) return { family: 'deployments', rest: scoped[2] ?? '', deployment: decode(scoped[1] ?? '') }
  return { family: 'bare', rest: bare, deployment: undefined }
}

function checkApiVersion(family: UrlFamily, version: string | undefined, isModels: boolean): Problem | undefined {
  const needed = family === 'deployments' || (family === 'bare' && isModels)
  const valid = 'a date such as 2024-10-21 or 2025-04-01-preview'
  if (version === undefined && needed) {
    return new Problem('invalid_api_version', `The query parameter api-version is missing; it takes ${valid}.`, {
      param: 'api-version',
    })
  }
  if (version !== undefined && !API_VERSION.test(version)) {
    return new Problem('invalid_api_version', `The query parameter api-version is not known; it takes ${valid}.`, {
      param: 'api-version',
    })
  }
  return undefined
}

function notFound(method: string, path: string, stored: StoredPaths): Problem {
  const paths = [...operations.map((operation) => operation.path), ...stored.paths]
    .map((known) => `/openai/v1${known}`)
    .join(', ')
  return new Problem('not_found', `There is no ${method} ${path}. Known: ${paths}, /openai/v1/models.`)
}

/** A malformed escape stays as it is and then names no deployment. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
