import { z } from 'zod'
import { idInput } from '../base/id-input'
import { parseTenantId } from '../base/ids'

const NAME_CHARACTERS_MAX = 64
const ACCOUNTS_MAX = 50
const RESOURCE_ID_CHARACTERS_MAX = 400

const REGION = /^[a-z][a-z0-9-]{0,39}$/
const GROUP = String.raw`\/subscriptions\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/resourceGroups\/[\w.()-]{1,90}`
const GROUP_ID = new RegExp(`^${GROUP}$`, 'i')
const ACCOUNT_ID = new RegExp(
  String.raw`^${GROUP}\/providers\/Microsoft\.CognitiveServices\/accounts\/[A-Za-z0-9][A-Za-z0-9.-]{0,63}$`,
  'i',
)

const accountId = z
  .string()
  .max(RESOURCE_ID_CHARACTERS_MAX)
  .regex(
    ACCOUNT_ID,
    'Must be "/subscriptions/{id}/resourceGroups/{name}/providers/Microsoft.CognitiveServices/accounts/{name}"',
  )

const tenantId = idInput({ prefixes: ['ten'], parse: parseTenantId, of: 'a tenant' })

const fields = {
  name: z.string().trim().min(1).max(NAME_CHARACTERS_MAX),
  region: z.string().regex(REGION, 'Must be a region in lower case, such as "swedencentral"'),
  resourceGroupId: z
    .string()
    .max(RESOURCE_ID_CHARACTERS_MAX)
    .regex(GROUP_ID, 'Must be "/subscriptions/{id}/resourceGroups/{name}"'),
  modelAccountIds: z
    .array(accountId)
    .max(ACCOUNTS_MAX)
    .refine((ids) => new Set(ids.map((id) => id.toLowerCase())).size === ids.length, 'Must name each account once'),
  acceptsTenants: z.boolean(),
  reservedFor: tenantId.nullable(),
}

export const stampInput = z.strictObject({
  ...fields,
  modelAccountIds: fields.modelAccountIds.default([]),
  acceptsTenants: fields.acceptsTenants.default(true),
  reservedFor: fields.reservedFor.default(null),
})
export type StampInput = z.infer<typeof stampInput>

/**
 * A merge patch: what is absent stays, the list of accounts is replaced whole. Region and resource group are where tenants'
 * things are by now: another one is another stamp.
 */
export const stampPatch = z.strictObject({
  name: fields.name.optional(),
  modelAccountIds: fields.modelAccountIds.optional(),
  acceptsTenants: fields.acceptsTenants.optional(),
  reservedFor: fields.reservedFor.optional(),
})
export type StampPatch = z.infer<typeof stampPatch>
