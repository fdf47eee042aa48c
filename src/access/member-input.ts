import { z } from 'zod'
import { guid } from '../tenants/tenant-input'
import { memberIdOf, type Member, type MemberId } from './members'
import { tenantRoles } from './permissions'

const role = z.enum(tenantRoles)

export const memberInput = z.strictObject({
  directoryId: guid('Must be the id of a directory that is linked to the tenant, a GUID'),
  objectId: guid('Must be the object id of a user or of an application’s service principal, a GUID'),
  role,
})

export const memberPatch = z.strictObject({ role })

const GUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const MEMBER_ID = `^${GUID}~${GUID}$`
const memberIdText = new RegExp(MEMBER_ID)

export const memberParams = z.object({
  memberId: z
    .custom<MemberId>(
      (value) => typeof value === 'string' && memberIdText.test(value),
      'Must be the id of a member: directory id, "~", object id',
    )
    .meta({ type: 'string', pattern: MEMBER_ID }),
})

export const memberAnswer = z.object({
  memberId: z.string(),
  directoryId: z.string(),
  objectId: z.string(),
  role,
  addedAt: z.iso.datetime(),
})

export const memberView = (member: Member): z.infer<typeof memberAnswer> => ({
  memberId: memberIdOf(member),
  directoryId: member.directoryId,
  objectId: member.objectId,
  role: member.role,
  addedAt: new Date(member.addedAt).toISOString(),
})
