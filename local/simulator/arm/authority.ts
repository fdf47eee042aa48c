import { ArmError } from './arm-answer'
import type { ArmStore } from './arm-store'
import { findRole, type Role } from './roles'
import type { StoredRole } from './stored-resource'
import type { TokenClaims } from '../entra/read-token'

/** Whether a scope is a resource or stands above it. */
export function covers(scope: string, id: string): boolean {
  const above = scope === '/' ? '' : scope.replace(/\/+$/, '').toLowerCase()
  const below = id.toLowerCase()
  return below === above || below.startsWith(`${above}/`)
}

/** The roles that a principal has on a resource and that bite already. */
export function rolesOn(
  store: ArmStore,
  id: string,
  { principalId, now, delayMs }: { principalId: string; now: number; delayMs: number },
): Role[] {
  const holds = (given: StoredRole) =>
    given.principalId.toLowerCase() === principalId.toLowerCase() &&
    covers(given.scope, id) &&
    given.createdAt + delayMs <= now
  return store
    .list('role')
    .filter(holds)
    .flatMap(({ roleId }) => findRole(roleId) ?? [])
}

/** Throws ARM's 403 unless a role of the caller's allows the action. */
export function authorize(
  roles: readonly Role[],
  caller: TokenClaims,
  { action, scope }: { action: string; scope: string },
) {
  if (roles.some(({ allows }) => allows(action))) return
  throw new ArmError(
    403,
    'AuthorizationFailed',
    `The client '${caller.azp ?? caller.oid}' with object id '${caller.oid}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  )
}
