import { GenerationalCache } from './generational-cache'

/** The three addresses of a deployment: classic Azure, Azure's v1, and a plain OpenAI-compatible base. */
export type Family = 'classic' | 'v1' | 'compatible'

export type Route =
  | { readonly kind: 'control'; readonly path: string; readonly query: URLSearchParams }
  | {
      readonly kind: 'inference'
      readonly operation: 'chat' | 'embeddings'
      readonly family: Family
      /** In the path for the classic family; otherwise the body's `model` names it. */
      readonly deployment: string | undefined
      /** As a refusal writes it; `v1` where the caller sent none. */
      readonly apiVersion: string
    }
  | { readonly kind: 'models'; readonly family: Family; readonly id: string | undefined }
  | { readonly kind: 'not-found' }

const notFound: Route = { kind: 'not-found' }
const DEPLOYMENTS = '/openai/deployments/'
const V1 = '/openai/v1/'
const COMPATIBLE = '/compatible/v1/'
const CLASSIC_MODELS = '/openai/models'
const CONTROL = '/simulator/'

/** Bound of the remembered routes per generation; a client uses a few. */
const ROUTES_MAX = 1_000
const posted = new GenerationalCache<string, Route>(ROUTES_MAX)

/** Where a request goes. The calls of a benchmark all have the same few addresses, so those of POST are remembered. */
export function parseRoute(method: string, url: string): Route {
  if (method !== 'POST') return readRoute(method, url)
  const known = posted.get(url)
  if (known !== undefined) return known
  const route = readRoute(method, url)
  posted.set(url, route)
  return route
}

/** Prefixes are compared and hardly a pattern is matched, so no address costs more than its length. */
function readRoute(method: string, url: string): Route {
  const mark = url.indexOf('?')
  const path = collapseSlashes(mark < 0 ? url : url.slice(0, mark))
  const query = mark < 0 ? '' : url.slice(mark + 1)
  if (path.startsWith(CONTROL)) {
    return { kind: 'control', path: path.slice(CONTROL.length), query: new URLSearchParams(query) }
  }
  if (path.startsWith(V1)) return isV1Version(query) ? parseUnversioned(method, path.slice(V1.length), 'v1') : notFound
  if (path.startsWith(COMPATIBLE)) return parseUnversioned(method, path.slice(COMPATIBLE.length), 'compatible')
  const apiVersion = queryValue(query, 'api-version')
  if (apiVersion === undefined || !isDatedVersion(apiVersion)) return notFound
  if (path.startsWith(DEPLOYMENTS)) return parseDeploymentPath(method, path.slice(DEPLOYMENTS.length), apiVersion)
  if (path.startsWith(CLASSIC_MODELS)) {
    return parseModels(method, path.slice(CLASSIC_MODELS.length), 'classic')
  }
  return notFound
}

function parseUnversioned(method: string, operation: string, family: Family): Route {
  if (operation.startsWith('models')) return parseModels(method, operation.slice('models'.length), family)
  return inference(method, operation, { family, deployment: undefined, apiVersion: 'v1' })
}

function parseDeploymentPath(method: string, rest: string, apiVersion: string): Route {
  const slash = rest.indexOf('/')
  const deployment = slash < 1 ? undefined : decode(rest.slice(0, slash))
  if (deployment === undefined) return notFound
  return inference(method, rest.slice(slash + 1), { family: 'classic', deployment, apiVersion })
}

function inference(
  method: string,
  operation: string,
  target: { family: Family; deployment: string | undefined; apiVersion: string },
): Route {
  if (method !== 'POST') return notFound
  if (operation === 'chat/completions') return { kind: 'inference', operation: 'chat', ...target }
  if (operation === 'embeddings') return { kind: 'inference', operation: 'embeddings', ...target }
  return notFound
}

function parseModels(method: string, rest: string, family: Family): Route {
  if (method !== 'GET') return notFound
  if (rest === '') return { kind: 'models', family, id: undefined }
  const id = rest.startsWith('/') && rest.length > 1 ? decode(rest.slice(1)) : undefined
  return id === undefined ? notFound : { kind: 'models', family, id }
}

function collapseSlashes(path: string): string {
  if (!path.includes('//')) return path
  return path
    .split('/')
    .filter((part, index) => part !== '' || index === 0)
    .join('/')
}

function queryValue(query: string, name: string): string | undefined {
  for (const pair of query.split('&')) {
    if (pair.startsWith(name) && pair.charAt(name.length) === '=') return decode(pair.slice(name.length + 1))
  }
  return undefined
}

/** Dated versions only: `2024-10-21`, `2025-04-01-preview`. */
function isDatedVersion(version: string): boolean {
  return /^\d{4}-\d{2}-\d{2}(-preview)?$/.test(version)
}

function isV1Version(query: string): boolean {
  const version = query === '' ? undefined : queryValue(query, 'api-version')
  return version === undefined || version === 'v1' || version === 'preview' || version === 'latest'
}

function decode(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
