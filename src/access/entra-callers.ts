import { hash } from 'node:crypto'
import type { Clock } from '../base/clock'
import { encodeBase32, type EntraId, type TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { createStaleCache } from '../base/stale-cache'
import { TenantScope } from '../storage/tenant-scope'
import type { Caller } from './caller'
import type { Directories } from './directories'
import type { EntraClaims, EntraTokens } from './entra-tokens'
import { memberIdOf, type Members, type Principal } from './members'
import { tenantRoles, type TenantRole } from './permissions'

/** Turns Entra tokens into callers. A token in use costs a hash and two looks into caches, no I/O and no signature. */
export interface EntraCallers {
  /** Undefined: not valid, or nobody here. */
  callerOf(token: string): Promise<Caller | undefined>
  /** The verified claims, for whoever is not a tenant's: operators. */
  claimsOf(token: string): Promise<EntraClaims | undefined>
  /** For the instance that changed a member itself. */
  forget(scope: TenantScope, principal: Principal): void
}

const FRESH_MS = 5_000
/** With the read itself, a removed member is refused everywhere within 30 s. */
const STALE_MS = 25_000
const PRINCIPALS_MAX = 20_000
const TOKENS_MAX = 20_000

interface Standing {
  readonly tenantId: TenantId
  readonly role: TenantRole | undefined
}

export function createEntraCallers({
  tokens,
  directories,
  members,
  clock,
  log,
}: {
  tokens: EntraTokens
  directories: Directories
  members: () => Pick<Members, 'get' | 'isRemoved'>
  clock: Clock
  log: Log
}): EntraCallers {
  const verified = new Map<string, EntraClaims>()
  const standings = createStaleCache<Principal, Standing | undefined>({
    clock,
    load: async (principal) => {
      const tenantId = await directories.tenantOf(principal.directoryId)
      if (!tenantId) return undefined
      // A verified token of the tenant's own directory speaks for the tenant.
      const [scope, id] = [TenantScope.ofCaller({ tenantId }), memberIdOf(principal)]
      const member = await members().get(scope, id)
      if (!member && (await members().isRemoved(scope, id))) return undefined
      return { tenantId, role: member?.role }
    },
    idOf: memberIdOf,
    freshMs: FRESH_MS,
    staleMs: STALE_MS,
    entriesMax: PRINCIPALS_MAX,
    onError: (error) => log.warn('a member could not be read again', { error: describeError(error) }),
  })

  const claimsOf = async (token: string) => {
    const digest = hash('sha256', token, 'base64url')
    const known = verified.get(digest)
    if (known && known.expiresAt > clock.now()) return known
    verified.delete(digest)
    const claims = await tokens.verify(token)
    if (!claims) return undefined
    verified.set(digest, claims)
    if (verified.size > TOKENS_MAX) {
      const [oldest] = verified.keys()
      if (oldest !== undefined) verified.delete(oldest)
    }
    return claims
  }

  return {
    claimsOf,
    forget: (_, principal) => standings.forget(principal),
    callerOf: async (token) => {
      const claims = await claimsOf(token)
      const standing = claims && (await standings.get(claims))
      // A role that the tenant gave here counts before one that its directory gave.
      const role = standing && (standing.role ?? roleOfApp(claims.appRoles))
      return role && callerFor(claims, standing.tenantId, role)
    },
  }
}

function callerFor(claims: EntraClaims, tenantId: TenantId, role: TenantRole): Caller {
  const { kind, directoryId, objectId } = claims
  return {
    tenantId,
    callerId: entraIdOf(claims),
    principal: { kind, directoryId, objectId },
    role,
    scopes: [],
    aliases: undefined,
    limits: undefined,
  }
}

const ID_BYTES = 15

/** What stands for the principal in usage and limits: one and the same for good, and no name of anybody. */
const entraIdOf = (principal: Principal): EntraId =>
  `ent_${encodeBase32(Buffer.from(hash('sha256', memberIdOf(principal), 'hex'), 'hex').subarray(0, ID_BYTES))}`

/** `Tenantry.Admin` → admin; of several the one that may do most. */
const roleOfApp = (appRoles: readonly string[]): TenantRole | undefined =>
  tenantRoles.find((role) => appRoles.some((name) => name.toLowerCase() === `tenantry.${role}`))
