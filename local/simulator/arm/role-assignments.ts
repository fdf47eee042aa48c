import { z } from 'zod'
import { ArmError, endpointPath, resourceNotFound, type ArmAnswer, type ArmCall, type ArmEndpoint } from './arm-answer'
import type { ArmDeps } from './arm-deps'
import { covers } from './authority'
import { readArmBody } from './read-arm-body'
import { findRole } from './roles'
import { subscriptionIn } from './subscriptions'
import type { StoredRole } from './stored-resource'

const TYPE = 'Microsoft.Authorization/roleAssignments'
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const AT_SCOPE = '(?<scope>/subscriptions/.+?)/providers/Microsoft.Authorization/roleAssignments'

const roleBody = z.looseObject({
  properties: z.looseObject({
    roleDefinitionId: z.string(),
    principalId: z.guid(),
    principalType: z.enum(['User', 'Group', 'ServicePrincipal', 'ForeignGroup', 'Device']).optional(),
  }),
})

/** `Microsoft.Authorization/roleAssignments`, at every scope from the subscription down. */
export function roleAssignmentEndpoints(deps: ArmDeps): ArmEndpoint[] {
  const { store } = deps
  return [
    {
      path: endpointPath(`${AT_SCOPE}/(?<name>[^/]+)`),
      type: TYPE,
      serve: {
        GET: ({ id, params }) => {
          const found = store.get('role', id)
          if (found) return { status: 200, body: shown(found) }
          const text = `The role assignment '${params['name']}' is not found.`
          throw new ArmError(404, 'RoleAssignmentNotFound', text)
        },
        PUT: (call) => putRole(deps, call),
        DELETE: ({ id }) => {
          const found = store.get('role', id)
          if (!found) return { status: 204 }
          store.remove(id)
          return { status: 200, body: shown(found) }
        },
      },
    },
    {
      path: endpointPath(AT_SCOPE),
      type: TYPE,
      serve: { GET: (call) => ({ status: 200, body: { value: listed(deps, call).map(shown) } }) },
    },
  ]
}

function putRole(deps: ArmDeps, call: ArmCall): ArmAnswer {
  const { store } = deps
  const { name = '', scope = '' } = call.params
  if (!GUID.test(name))
    throw new ArmError(400, 'InvalidRoleAssignmentId', `The role assignment ID '${name}' must be a GUID.`)
  const { properties } = readArmBody(roleBody, call.body)
  checkScope(deps, scope)
  const role = findRole(properties.roleDefinitionId.split('/').at(-1) ?? '')
  if (!role) {
    const text = `The specified role definition with ID '${properties.roleDefinitionId}' does not exist.`
    throw new ArmError(400, 'RoleDefinitionDoesNotExist', text)
  }
  checkPrincipal(deps, scope, properties)
  const { principalId, principalType = 'ServicePrincipal' } = properties
  const given = { principalId, roleId: role.id, scope }
  const before = store.get('role', call.id)
  if (before && isSame(before, given)) return { status: 200, body: shown(before) }
  if (before) {
    const text = 'Tenant ID, application ID, principal ID, and scope are not allowed to be updated.'
    throw new ArmError(409, 'RoleAssignmentUpdateNotPermitted', text)
  }
  const twin = store.list('role').find((each) => isSame(each, given))
  if (twin) {
    const text = `The role assignment already exists. The ID of the existing role assignment is ${twin.name.replaceAll('-', '')}.`
    throw new ArmError(409, 'RoleAssignmentExists', text)
  }
  const made: StoredRole = {
    kind: 'role',
    id: call.id,
    name,
    ...given,
    principalType,
    createdAt: call.now,
    phase: { kind: 'ready' },
  }
  store.put(made)
  return { status: 201, body: shown(made) }
}

type Given = Pick<StoredRole, 'principalId' | 'roleId' | 'scope'>

const isSame = (a: Given, b: Given) =>
  a.principalId.toLowerCase() === b.principalId.toLowerCase() &&
  a.roleId === b.roleId &&
  a.scope.toLowerCase() === b.scope.toLowerCase()

function checkScope({ store }: ArmDeps, scope: string): void {
  if (!/\/providers\//i.test(scope)) return
  if (store.get('account', scope) || store.get('storage', scope)) return
  throw resourceNotFound(scope)
}

/** Azure does not look for a principal whose type is stated, since it may not have reached its replica yet. */
function checkPrincipal(
  { config, hasPrincipal }: ArmDeps,
  scope: string,
  { principalId, principalType }: { principalId: string; principalType?: string | undefined },
): void {
  const { directoryId } = subscriptionIn(config(), scope)
  if (principalType !== undefined || hasPrincipal(directoryId, principalId)) return
  throw new ArmError(
    400,
    'PrincipalNotFound',
    `Principal ${principalId.replaceAll('-', '')} does not exist in the directory ${directoryId}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.`,
  )
}

/** At the scope, above it and below it; `atScope()` leaves out those below. */
function listed({ store }: ArmDeps, { params: { scope = '' }, query }: ArmCall): StoredRole[] {
  const filter = query.get('$filter') ?? ''
  const [, principalId] = /^(?:principalId eq|assignedTo\()\s*'([^']+)'\)?$/i.exec(filter) ?? []
  const isAtScope = /^atScope\(\)$/i.test(filter)
  if (filter !== '' && principalId === undefined && !isAtScope)
    throw new ArmError(400, 'UnsupportedQuery', `The filter '${filter}' is not supported.`)
  return store
    .list('role')
    .filter((role) => covers(role.scope, scope) || (!isAtScope && covers(scope, role.scope)))
    .filter((role) => principalId === undefined || role.principalId.toLowerCase() === principalId.toLowerCase())
}

function shown({ id, name, scope, principalId, principalType, roleId, createdAt }: StoredRole): object {
  const subscription = scope.split('/').slice(0, 3).join('/')
  const createdOn = new Date(createdAt).toISOString()
  return {
    id,
    name,
    type: TYPE,
    properties: {
      scope,
      roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${roleId}`,
      principalId,
      principalType,
      createdOn,
      updatedOn: createdOn,
    },
  }
}
