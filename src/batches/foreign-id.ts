import type { Body } from '../inference/operation'

/** Fields by which a request names what an account keeps: under whatever tenant's batch it was made there. */
const NAMING = new Set([
  'previous_response_id',
  'conversation',
  'file_id',
  'file_ids',
  'vector_store_id',
  'vector_store_ids',
  'container',
  'container_id',
])
/** Deeper than any request of the API. */
const DEPTH_MAX = 32

/** The first field that names something kept elsewhere, by its path; schemas and texts of the client's own are not looked into. */
export function findForeignId(body: Body): string | undefined {
  return search(body, '', 0)
}

function search(value: unknown, path: string, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (depth > DEPTH_MAX) return path
  for (const [key, item] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`
    if (OWN_WORDS.has(key)) continue
    if (NAMING.has(key) && item !== null && item !== undefined) return at
    const found = search(item, at, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

/** Where property names are the client's own. */
const OWN_WORDS = new Set(['parameters', 'schema', 'metadata', 'arguments', 'text'])
