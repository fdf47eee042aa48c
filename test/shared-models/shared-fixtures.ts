import { Problem } from '../../src/base/problem'
import { parseSharedModelId, type SharedModel } from '../../src/shared-models/shared-model'
import type { PurposeId } from '../../src/shared-models/purpose'
import type { TenantScope } from '../../src/storage/tenant-scope'
import type { ControlPlaneServer } from '../functions/control-plane-server'

/** A shared model that is ready and offered to one tenant, an alias of which leads to it; the names of all that. */
export async function sharedModelOf(
  { parts: { controlPlane } }: ControlPlaneServer,
  scope: TenantScope,
): Promise<{ sharedModelId: string; purposeId: string; alias: string }> {
  const { sharedModels, ids } = controlPlane
  const id = parseSharedModelId(ids.operationId('shm'))
  if (!id) throw new Error('the id of a shared model is one')
  const model: SharedModel = {
    id,
    createdAt: 0,
    by: 'somebody',
    order: {
      purposeId: 'a-purpose' as PurposeId,
      baseModel: 'gpt-4.1-mini-2025-04-14',
      suffix: 'shared',
      hyperparameters: {},
      tenantsMin: 3,
    },
    textVersion: 1,
    region: 'swedencentral',
    state: { kind: 'ready', sinceMs: 0 },
    contributors: [],
    grants: [scope.tenantId],
  }
  const purpose = await sharedModels.purposes.put(model.order.purposeId, {
    title: 'A purpose',
    region: 'swedencentral',
    text: 'A text.',
  })
  if (purpose instanceof Problem) throw new Error(purpose.public)
  await sharedModels.models.insert(model)
  await sharedModels.models.note(scope, id)
  return { sharedModelId: id, purposeId: model.order.purposeId, alias: 'chat' }
}
