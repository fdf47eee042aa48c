import type { Backend } from '../routing/backend'
import type { Grant } from './authorize'
import { setFormFields } from './form-body'
import { setFields, type FieldEdit } from './json-fields'
import type { Call } from './read-call'

/** Where a call goes on one backend, and with which bytes. */
export interface UpstreamRequest {
  readonly origin: string
  readonly path: string
  readonly body: Buffer
}

/** Pure. The client's bytes are sent as they came unless one of our fields has to be set. */
export function buildUpstreamRequest(call: Call, grant: Grant, backend: Backend): UpstreamRequest {
  const { origin, base } = endpointOf(backend)
  const { path, modelInBody } = placeOf(call, backend)
  const edits = neededEdits(call, grant, modelInBody ? backend.deployment : undefined)
  const body = edits.length > 0 ? edited(call, edits) : call.bytes
  return { origin, path: base + path, body }
}

function edited({ bytes, fields, form }: Call, edits: readonly FieldEdit[]): Buffer {
  if (!form) return setFields(bytes, fields, edits)
  return setFormFields(bytes, form, Object.fromEntries(edits.map(({ key, value }) => [key, String(JSON.parse(value))])))
}

interface Endpoint {
  readonly origin: string
  readonly base: string
}

/** Parsing a URL costs as much as the rest of building a request; a backend's object lives until it is read anew. */
const endpoints = new WeakMap<Backend, Endpoint>()

function endpointOf(backend: Backend): Endpoint {
  const known = endpoints.get(backend)
  if (known) return known
  const { origin, pathname } = new URL(backend.endpoint)
  const endpoint = { origin, base: pathname === '/' ? '' : pathname }
  endpoints.set(backend, endpoint)
  return endpoint
}

interface Place {
  readonly path: string
  /** The body names the deployment, not the path. */
  readonly modelInBody: boolean
}

/**
 * Clients write paths that Azure does not have: without a version, or with one from before the operation, or with v1's name of a
 * version on a dated path (`@ai-sdk/azure`). What a dated version has not, v1 has. Of v1's own versions only `preview` has to be named.
 */
function placeOf({ operation, family, apiVersion }: Call, { api, deployment }: Backend): Place {
  const { path, since, isOfAccount = false } = operation
  if (api.kind === 'openai-compatible') return { path, modelInBody: true }
  const version = apiVersion ?? (family === 'v1' ? 'v1' : api.apiVersion)
  // Versions are dates, so their order is that of their texts.
  const isDated = /^\d/.test(version) && (since === undefined || version >= since)
  if (family === 'v1' || !isDated) {
    return { path: `/openai/v1${path}${version === 'preview' ? '?api-version=preview' : ''}`, modelInBody: true }
  }
  if (isOfAccount) return { path: `/openai${path}?api-version=${version}`, modelInBody: true }
  const place = `/openai/deployments/${encodeURIComponent(deployment)}${path}?api-version=${version}`
  return { path: place, modelInBody: false }
}

function neededEdits(call: Call, grant: Grant, model: string | undefined): FieldEdit[] {
  const edits: FieldEdit[] = []
  if (model !== undefined && call.body['model'] !== model) edits.push({ key: 'model', value: JSON.stringify(model) })
  const { outputField, edits: others } = call.operation
  if (outputField && call.outputTokens === undefined)
    edits.push({ key: outputField(grant), value: String(grant.outputTokens) })
  if (others) edits.push(...others(call))
  if (call.rewrites) edits.push(...call.rewrites)
  return edits
}
