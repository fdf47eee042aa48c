import { createHash } from 'node:crypto'
import { encodeBase32, parseBackendId, type BackendId, type OperationId, type TenantId } from '../base/ids'
import { assert } from '../base/assert'

/**
 * Names of what is made for a tenant. Each follows from the tenant's id and the operation that makes it, so that a step that
 * is repeated, on whichever instance, finds what it made before, and whoever reads a bill or a portal finds the tenant. What
 * a move makes is beside what is there, and so has names of its own.
 */
export type Generation = '' | OperationId

export const tenantTag = 'tenantry-tenant'

const DEPLOYMENT_CHARACTERS_MAX = 64
const TIME_CHARACTERS = 10
const HASH_BYTES = 10
/** Storage accounts have at most 24 lower-case letters and digits, unique in all of Azure; these keep the id's 80 bits of chance. */
const STORAGE_CHARACTERS = 21
const CHANCE_CHARACTERS = 16
const GENERATION_CHARACTERS = 5

const bodyOf = (tenantId: TenantId) => tenantId.slice('ten_'.length)

/** Of an Azure OpenAI account; also its custom subdomain, which must be unique in all of Azure. */
export const accountNameOf = (tenantId: TenantId, generation: Generation = ''): string =>
  `tnt-${bodyOf(tenantId)}${generation && `-${markOf(generation)}`}`

export const storageAccountNameOf = (tenantId: TenantId, generation: Generation = ''): string =>
  generation === ''
    ? `tnt${bodyOf(tenantId).slice(-STORAGE_CHARACTERS)}`
    : `tnt${bodyOf(tenantId).slice(-CHANCE_CHARACTERS)}${markOf(generation)}`

const markOf = (generation: Generation) => hashOf(generation).slice(0, GENERATION_CHARACTERS)

/** Long aliases are cut, and told apart by a hash. */
export function deploymentNameOf(tenantId: TenantId, alias: string, generation: Generation = ''): string {
  const name = `${bodyOf(tenantId)}${generation && `-${markOf(generation)}`}-${alias}`
  if (name.length <= DEPLOYMENT_CHARACTERS_MAX) return name
  const hash = hashOf(alias).slice(0, 8)
  return `${name.slice(0, DEPLOYMENT_CHARACTERS_MAX - hash.length - 1)}-${hash}`
}

/** The backend of an alias: of the tenant's age, and else by a hash of both. */
export function backendIdOf(tenantId: TenantId, alias: string, generation: Generation = ''): BackendId {
  const hash = hashOf(`${tenantId}/${alias}${generation && `/${generation}`}`)
  const id = parseBackendId(`bke_${bodyOf(tenantId).slice(0, TIME_CHARACTERS)}${hash}`)
  assert(id, 'a tenant’s time and 16 characters make an id')
  return id
}

/** A role assignment is named by a GUID; this one follows from what it says. */
export function roleAssignmentName(parts: { scope: string; principalId: string; roleId: string }): string {
  const hex = createHash('sha256')
    .update(`${parts.scope}\n${parts.principalId}\n${parts.roleId}`.toLowerCase())
    .digest('hex')
  const [a, b, c, d, e] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16), hex.slice(17, 20), hex.slice(20, 32)]
  // Version 8 of RFC 9562: a layout of one's own.
  return `${a}-${b}-8${c}-a${d}-${e}`
}

const hashOf = (text: string) => encodeBase32(createHash('sha256').update(text).digest().subarray(0, HASH_BYTES))
