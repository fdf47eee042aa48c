import type { Arm } from '../azure/arm'
import { ensureResource, removeResource, type Ensured } from './ensure-resource'
import { roleAssignmentName } from './resource-names'

/** Built-in roles (azure-facts 6.3). */
export const roles = {
  openAiUser: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd',
  /** Trains models and keeps files; includes `openAiUser`. */
  openAiContributor: 'a001fd3d-188f-4b5d-821b-7da978bf7442',
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
} as const

const API_VERSION = '2022-04-01'

/** Gives the platform's own principal a role on a resource that was made for a tenant. Bites within minutes. */
export async function ensureRole(arm: Arm, scope: string, roleId: string): Promise<Ensured> {
  const principalId = await arm.principalId()
  const id = idOf(scope, principalId, roleId)
  const roleDefinitionId = `${subscriptionOf(scope)}/providers/Microsoft.Authorization/roleDefinitions/${roleId}`
  const body = { properties: { roleDefinitionId, principalId, principalType: 'ServicePrincipal' } }
  const ensured = await ensureResource(arm, { id, apiVersion: API_VERSION, body, isAsWanted: () => true })
  // The same role by another name, given by hand.
  if (ensured.kind === 'refused' && ensured.code === 'RoleAssignmentExists')
    return { kind: 'ready', resource: { id, name: '', properties: {} } }
  return ensured
}

export async function removeRole(arm: Arm, scope: string, roleId: string): Promise<true | { againAfterMs: number }> {
  return removeResource(arm, idOf(scope, await arm.principalId(), roleId), API_VERSION)
}

const idOf = (scope: string, principalId: string, roleId: string) =>
  `${scope}/providers/Microsoft.Authorization/roleAssignments/${roleAssignmentName({ scope, principalId, roleId })}`

export const subscriptionOf = (resourceId: string) => resourceId.split('/').slice(0, 3).join('/')
