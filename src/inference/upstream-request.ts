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
  const edits = neededEdits(call, grant, backend)
  const body = edits.length > 0 ? edited(call, edits) : call.bytes
  return { origin, path: base + upstreamPath(call, backend), body }
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

function upstreamPath(call: Call, backend: Backend): string {
  if (backend.api.kind === 'openai-compatible') return call.operation.path
  if (call.family === 'v1') return `/openai/v1${call.operation.path}`
  const version = call.apiVersion ?? backend.api.apiVersion
  const { path, ofAccountSince } = call.operation
  if (ofAccountSince !== undefined) {
    // Versions are dates, so their order is that of their texts; one from before has nothing that could be asked.
    const hasIt = /^\d/.test(version) && version >= ofAccountSince
    return hasIt ? `/openai${path}?api-version=${version}` : `/openai/v1${path}`
  }
  return `/openai/deployments/${encodeURIComponent(backend.deployment)}${call.operation.path}?api-version=${version}`
}

function neededEdits(call: Call, grant: Grant, backend: Backend): FieldEdit[] {
  const edits: FieldEdit[] = []
  const modelInBody =
    backend.api.kind === 'openai-compatible' || call.family === 'v1' || call.operation.ofAccountSince !== undefined
  if (modelInBody && call.body['model'] !== backend.deployment) {
    edits.push({ key: 'model', value: JSON.stringify(backend.deployment) })
  }
  const { outputField, edits: others } = call.operation
  if (outputField && call.outputTokens === undefined)
    edits.push({ key: outputField(grant), value: String(grant.outputTokens) })
  if (others) edits.push(...others(call))
  if (call.rewrites) edits.push(...call.rewrites)
  return edits
}
