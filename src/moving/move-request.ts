import { z } from 'zod'
import { idInput } from '../base/id-input'
import { parseStampId } from '../base/ids'
import { Problem, type FieldError } from '../base/problem'
import type { Stamps } from '../stamps/stamps'
import type { ModelsChange } from '../tenants/edit-record'
import { deploymentInput, ownAccountInput } from '../tenants/own-models-input'
import { aliasGroups, aliasName } from '../tenants/tenant-input'
import { dataIsolations, modelIsolations, type TenantRecord } from '../tenants/tenant-record'
import { isTunedAlias } from '../tenants/tuned-alias'
import type { Tenants } from '../tenants/tenants'
import type { MovingInput } from './moving-input'

const ALIASES_MAX = 100

const movedAlias = z.strictObject({
  name: aliasName,
  groups: aliasGroups.default([]),
  deployment: deploymentInput.optional(),
})

export const moveInput = z
  .strictObject({
    data: z.enum(dataIsolations).optional().meta({ description: 'Another level of data isolation.' }),
    models: z
      .strictObject({
        isolation: z.enum(modelIsolations),
        aliases: z.array(movedAlias).max(ALIASES_MAX).default([]).meta({
          description: 'What each alias leads to there: groups of shared backends, or the deployment to make.',
        }),
        ownAccount: ownAccountInput.optional(),
      })
      .optional()
      .meta({ description: 'Another isolation of models.' }),
    stampId: idInput({ prefixes: ['stm'], parse: parseStampId, of: 'a stamp' })
      .optional()
      .meta({
        description: 'Where what is made for the tenant is made; alone, it takes along what was made elsewhere.',
      }),
  })
  .refine(
    ({ data, models, stampId }) => data ?? models ?? stampId,
    'Must name at least one of "data", "models", "stampId"',
  )
export type MoveRequest = z.infer<typeof moveInput>

/** What the move will do, once it is known that nothing of it can be refused for what it asks. */
export async function planMove(
  { tenants, stamps }: { tenants: Pick<Tenants, 'checkModels'>; stamps: Pick<Stamps, 'read'> },
  record: TenantRecord,
  { data, models, stampId }: MoveRequest,
): Promise<MovingInput | Problem> {
  if (record.state !== 'active' && record.state !== 'suspended')
    return new Problem('conflict', `A tenant that is ${record.state} cannot be moved.`)
  const stamp = stampId && (await stamps.read(stampId))?.stamp
  if (stampId && !stamp) return fault('stampId', `There is no stamp ${stampId}: GET /api/platform/stamps lists them`)
  if (stamp && record.residency.length > 0 && !record.residency.includes(stamp.region))
    return fault('stampId', `Its region ${stamp.region} is not among those that may serve the tenant`)
  if (stamp?.reservedFor && stamp.reservedFor !== record.tenantId)
    return fault('stampId', 'The stamp is reserved for another tenant')

  const change = changeOf(record, { models, region: stamp?.region })
  const moves = {
    data: data ?? (stampId && record.isolation.data === 'account' ? 'account' : undefined),
    models: change,
  }
  if (stampId && moves.data !== 'account' && !isMade(change?.isolation))
    return fault('stampId', 'Nothing of this tenant is made on a stamp, and nothing is to be')
  // First: what is said of an alias that there is not would otherwise be passed over, and others blamed for what is missing.
  const unknown = models?.aliases.findIndex(({ name }) => !record.aliases.some((alias) => alias.name === name)) ?? -1
  if (unknown >= 0) return fault(`models.aliases.${unknown}.name`, 'The tenant has no alias of this name')
  if (change && record.isolation.models === 'dedicated' && record.aliases.some(isTunedAlias)) return tunedStay
  const refused = change && (await tenants.checkModels(record, change))
  if (refused) return inTermsOf(refused, record, models)
  return { ...moves, stampId }
}

/** A move makes another account for the tenant, and deletes the one before with all that was trained there. */
const tunedStay = new Problem(
  'conflict',
  'Tuned models of this tenant are deployed in the account that is its alone, which a move of its models would delete. Have them undeployed first; they have to be trained anew afterwards.',
)

const isMade = (isolation: ModelsChange['isolation'] | undefined) =>
  isolation === 'own-deployment' || isolation === 'dedicated'

/** A stamp alone takes along the deployments that were made for the tenant elsewhere. */
function changeOf(
  record: TenantRecord,
  { models, region }: { models: MoveRequest['models']; region: string | undefined },
): ModelsChange | undefined {
  if (models) return { ...models, region }
  return region !== undefined && isMade(record.isolation.models)
    ? { isolation: record.isolation.models, aliases: [], region }
    : undefined
}

function fault(path: string, message: string): Problem {
  return new Problem('invalid_request', `${path}: ${message}`, { param: path, errors: [{ path, message }] })
}

/** What is wrong with the record as it would be, by the fields of the request. */
function inTermsOf(refused: Problem, record: TenantRecord, models: MoveRequest['models']): Problem {
  const errors = (refused.errors ?? []).map(({ path, message }): FieldError => {
    const [, index = '', field = ''] = /^aliases\.(\d+)\.(.+)$/.exec(path) ?? []
    const name = record.aliases[Number(index)]?.name
    if (index === '' || name === undefined) return { path: `models.${path}`, message }
    const given = models?.aliases.findIndex((alias) => alias.name === name) ?? -1
    if (given >= 0) return { path: `models.aliases.${given}.${field}`, message }
    return { path: 'models.aliases', message: `"${name}", ${field}: ${message}` }
  })
  const [first] = errors
  return first
    ? new Problem('invalid_request', `${first.path}: ${first.message}`, { param: first.path, errors })
    : refused
}
