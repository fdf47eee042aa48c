import { Problem } from '../base/problem'
import type { Operation } from './operation'
import { operations, type UrlFamily } from './operations'

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

const BY_PATH = new Map(operations.map((operation) => [operation.path, operation]))
const DEPLOYMENT_PATH = /^\/deployments\/([^/]+)(\/.+)$/
const MODELS_PATH = /^\/models(?:\/([^/]+))?$/
/** Any dated version and the names that v1 knows: new versions must not need a release of ours. */
const API_VERSION = /^(?:\d{4}-\d{2}-\d{2}(?:-preview)?|v1|preview|latest)$/
const PATH_CHARACTERS_MAX = 2_048

/** Reads method, path (from `/openai` on, without the query) and query into what is asked for. */
export function matchPath(method: string, path: string, query: URLSearchParams): Target | Problem {
  if (path.length > PATH_CHARACTERS_MAX) return new Problem('not_found', 'The path is too long.')
  const { family, rest, deployment } = splitPath(path)
  const models = deployment === undefined ? MODELS_PATH.exec(rest) : null
  const operation = BY_PATH.get(rest)
  if (!models && !operation) return notFound(method, path)

  const allowed = operation?.method ?? 'GET'
  if (method !== allowed) {
    const problem = `${rest} takes ${allowed}, not ${method}.`
    return new Problem('method_not_allowed', problem, { headers: { allow: allowed } })
  }
  const apiVersion = query.get('api-version') ?? undefined
  const versionProblem = checkApiVersion(family, apiVersion, models !== null)
  if (versionProblem) return versionProblem

  if (models) return { kind: 'models', family, model: models[1] === undefined ? undefined : decode(models[1]) }
  return operation ? { kind: 'call', operation, family, deployment, apiVersion } : notFound(method, path)
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

function notFound(method: string, path: string): Problem {
  const paths = operations.map((operation) => `/openai/v1${operation.path}`).join(', ')
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
