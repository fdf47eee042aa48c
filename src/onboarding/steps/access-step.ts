import { Problem } from '../../base/problem'
import type { KeyId, TenantId } from '../../base/ids'
import { done, type ChecklistStep, type Operation } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

type Deps = Pick<OnboardingDeps, 'keys' | 'credentialLinks' | 'directories' | 'members'>

/** The first API key, sealed for the one-time link, and the tenant's directory with its first owner. */
export const accessStep = (deps: Deps): ChecklistStep<OnboardingInput> => ({
  id: 'access',
  timeoutMs: 120_000,
  attemptsMax: 10,
  do: async (operation) => {
    const scope = TenantScope.ofPlatform(operation.tenantId)
    const fault = (await mapDirectory(deps, scope, operation)) ?? (await makeFirstKey(deps, scope, operation))
    return fault ? { kind: 'failed', problem: fault } : done({ firstKeyId: firstKeyId(operation.tenantId) })
  },
  undo: async ({ operationId, tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    await deps.credentialLinks.remove(scope, operationId)
    await deps.keys.removeAll(scope)
    await deps.members.removeAll(scope)
    for (const { directoryId } of await deps.directories.list(scope)) await deps.directories.unlink(scope, directoryId)
  },
})

/** The tenant's own characters, so that a repeated attempt replaces the key of an earlier one, which nobody got to see. */
export const firstKeyId = (tenantId: TenantId): KeyId => `key_${tenantId.slice('ten_'.length)}`

async function makeFirstKey(
  { keys, credentialLinks }: Deps,
  scope: TenantScope,
  { operationId }: Operation<OnboardingInput>,
): Promise<Problem | undefined> {
  if (await credentialLinks.has(scope, operationId)) return undefined
  const keyId = firstKeyId(scope.tenantId)
  const key = await keys.create(scope, keyId, { name: 'first key', scopes: ['inference', 'admin'] })
  if (key instanceof Problem) return key
  await credentialLinks.put(scope, operationId, { keyId, apiKey: key.apiKey })
  return undefined
}

async function mapDirectory(
  { directories, members }: Deps,
  scope: TenantScope,
  { input }: Operation<OnboardingInput>,
): Promise<Problem | undefined> {
  const { directory } = input.tenant
  if (!directory) return undefined
  const linked = await directories.link(scope, directory.directoryId)
  if (linked instanceof Problem) return linked
  const { ownerObjectId } = directory
  if (ownerObjectId === undefined) return undefined
  const owner = await members.put(scope, { directoryId: directory.directoryId, objectId: ownerObjectId }, 'owner')
  return owner instanceof Problem ? owner : undefined
}
