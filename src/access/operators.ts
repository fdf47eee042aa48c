import { hash } from 'node:crypto'
import { Problem } from '../base/problem'
import { sameText } from './api-key'
import type { EntraClaims } from './entra-tokens'
import { platformPermissions, platformRoles, type PlatformPermission, type PlatformRole } from './permissions'
import { isJsonWebToken, type HeaderReader } from './read-credential'

/** Somebody who runs the platform. */
export interface Operator {
  /** Tells operators apart in the audit log without telling their tokens: the start of the token's hash, or an object id. */
  readonly name: string
  readonly role: PlatformRole
}

export interface Operators {
  authenticate(headers: HeaderReader): Promise<Operator | Problem>
}

const BEARER = /^Bearer +(\S+) *$/i
const NAME_CHARACTERS = 12

const required = new Problem(
  'operator_credential_required',
  'This is for the operators of the platform. Send an operator token as `Authorization: Bearer <token>`.',
  { headers: { 'www-authenticate': 'Bearer realm="tenantry-platform"' } },
)

export interface OperatorToken {
  /** SHA-256 of the token, in lower-case hex. */
  readonly hash: string
  readonly role: PlatformRole
}

/** Tokens of the installation's own, and Entra tokens of its directory with an app role `Platform.{Role}`. */
export function createOperators({
  tokens,
  directory,
}: {
  tokens: readonly OperatorToken[]
  directory?:
    { readonly id: string; readonly claimsOf: (token: string) => Promise<EntraClaims | undefined> } | undefined
}): Operators {
  const ofEntra = async (token: string): Promise<Operator | Problem> => {
    const claims = directory && (await directory.claimsOf(token))
    if (!claims || claims.directoryId !== directory.id) return required
    const role = platformRoles.find((name) => claims.appRoles.some((app) => app.toLowerCase() === `platform.${name}`))
    return role ? { name: claims.objectId, role } : required
  }
  return {
    authenticate: async (headers) => {
      const token = BEARER.exec(headers.get('authorization') ?? '')?.[1]
      if (!token) return required
      if (isJsonWebToken(token)) return ofEntra(token)
      const digest = hash('sha256', token, 'hex')
      // All are compared, so that the time does not tell which one matched.
      const [found] = tokens.filter((known) => sameText(known.hash, digest))
      return found ? { name: digest.slice(0, NAME_CHARACTERS), role: found.role } : required
    },
  }
}

/** Undefined where the operator's role may do it. */
export function requirePlatformPermission({ role }: Operator, permission: PlatformPermission): Problem | undefined {
  const roles: readonly PlatformRole[] = platformPermissions[permission]
  if (roles.includes(role)) return undefined
  const text = `This takes the permission ${permission}, which the role "${role}" does not have; ${roles.join(', ')} has it.`
  return new Problem('insufficient_scope', text)
}
