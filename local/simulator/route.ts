import { GenerationalCache } from './generational-cache'
import { modelOperations, operationAt, type OperationName } from './model-operations'

/** The three addresses of a deployment: classic Azure, Azure's v1, and a plain OpenAI-compatible base. */
export type Family = 'classic' | 'v1' | 'compatible'

export type Route =
  | { readonly kind: 'control'; readonly path: string; readonly query: URLSearchParams }
  | {
      readonly kind: 'inference'
      readonly operation: OperationName
      readonly family: Family
      /** In the path for most of the classic family; otherwise the body's `model` names it. */
      readonly deployment: string | undefined
      /** As a refusal writes it; `v1` where the caller sent none. */
      readonly apiVersion: string
    }
  /** What an account keeps. `id` and `action` as in `files/{id}/content`. */
  | {
      readonly kind: 'stored'
      readonly collection: Collection
      readonly method: string
      readonly id: string | undefined
      readonly action: string | undefined
      readonly family: Family
      readonly query: URLSearchParams
    }
  | { readonly kind: 'models'; readonly family: Family; readonly id: string | undefined }
  | { readonly kind: 'not-found' }

const collections = ['responses', 'files', 'uploads', 'batches', 'fine_tuning/jobs', 'models'] as const
export type Collection = (typeof collections)[number]

const notFound: Route = { kind: 'not-found' }
const DEPLOYMENTS = '/openai/deployments/'
const V1 = '/openai/v1/'
const COMPATIBLE = '/compatible/v1/'
const CLASSIC = '/openai/'
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
  const asked = { method, query }
  if (path.startsWith(V1)) return isV1Version(query) ? parseUnversioned(asked, path.slice(V1.length), 'v1') : notFound
  if (path.startsWith(COMPATIBLE)) return parseUnversioned(asked, path.slice(COMPATIBLE.length), 'compatible')
  const apiVersion = queryValue(query, 'api-version')
  if (apiVersion === undefined || !isDatedVersion(apiVersion)) return notFound
  if (path.startsWith(DEPLOYMENTS)) return parseDeploymentPath(asked, path.slice(DEPLOYMENTS.length), apiVersion)
  return path.startsWith(CLASSIC) ? parseClassic(asked, path.slice(CLASSIC.length), apiVersion) : notFound
}

interface Asked {
  readonly method: string
  readonly query: string
}

function parseUnversioned({ method, query }: Asked, path: string, family: Family): Route {
  if (path.startsWith('models') && method === 'GET') return parseModels(path.slice('models'.length), family)
  const operation = method === 'POST' ? operationAt(path) : undefined
  if (operation !== undefined) return { kind: 'inference', operation, family, deployment: undefined, apiVersion: 'v1' }
  return parseStored({ method, query }, path, family)
}

/** What the classic family has beside its deployments. */
function parseClassic({ method, query }: Asked, path: string, apiVersion: string): Route {
  if (path.startsWith('models') && method === 'GET') return parseModels(path.slice('models'.length), 'classic')
  const operation = method === 'POST' ? operationAt(path) : undefined
  if (operation !== undefined && modelOperations[operation].classic !== 'deployment') {
    return classicCall(operation, undefined, apiVersion)
  }
  if (path.startsWith('responses') && !isSince(modelOperations.responses.since, apiVersion)) return notFound
  return parseStored({ method, query }, path, 'classic')
}

function parseDeploymentPath({ method, query }: Asked, rest: string, apiVersion: string): Route {
  const slash = rest.indexOf('/')
  const deployment = slash < 1 ? undefined : decode(rest.slice(0, slash))
  if (deployment === undefined || method !== 'POST') return notFound
  const path = rest.slice(slash + 1)
  // The SDK of a client that names a deployment asks for batches here; which one a batch uses stands in its lines.
  if (path === 'batches') return parseStored({ method, query }, path, 'classic')
  const operation = operationAt(path)
  if (operation === undefined || modelOperations[operation].classic === 'account') return notFound
  return classicCall(operation, deployment, apiVersion)
}

function classicCall(operation: OperationName, deployment: string | undefined, apiVersion: string): Route {
  if (!isSince(modelOperations[operation].since, apiVersion)) return notFound
  return { kind: 'inference', operation, family: 'classic', deployment, apiVersion }
}

/** Versions are dates, so their order is that of their texts. */
const isSince = (since: string | undefined, version: string) => since === undefined || version >= since

function parseStored({ method, query }: Asked, path: string, family: Family): Route {
  const collection = collections.find((each) => path === each || path.startsWith(`${each}/`))
  if (collection === undefined) return notFound
  const [, id, action, ...more] = path.slice(collection.length).split('/')
  if (more.length > 0) return notFound
  const decoded = id === undefined ? undefined : decode(id)
  if (id !== undefined && (decoded === undefined || decoded === '')) return notFound
  const place = { kind: 'stored', collection, method, family, query: new URLSearchParams(query) } as const
  // The one action that no thing of the collection is named for.
  const imports = collection === 'files' && method === 'POST' && decoded === 'import' && action === undefined
  return imports ? { ...place, id: undefined, action: 'import' } : { ...place, id: decoded, action }
}

function parseModels(rest: string, family: Family): Route {
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
