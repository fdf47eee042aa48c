import { z } from 'zod'
import { parseBackendId, parseKeyId, parseOperationId, parseTenantId } from '../base/ids'

const PAGE_TENANTS_MAX = 100
const PAGE_TENANTS_DEFAULT = 50

/** A schema for text that must be an id of one kind. */
function id<Id>(parse: (text: string) => Id | undefined, valid: string) {
  return z.string().transform((text, context) => {
    const parsed = parse(text)
    if (parsed !== undefined) return parsed
    context.addIssue({ code: 'custom', message: valid })
    return z.NEVER
  })
}

const tenantId = id(parseTenantId, 'Must be the id of a tenant: "ten_" and 26 characters')

export const tenantParams = z.object({ tenantId })
export const keyParams = z.object({ keyId: id(parseKeyId, 'Must be the id of a key: "key_" and 26 characters') })
export const operationParams = z.object({
  operationId: id(
    parseOperationId,
    'Must be the id of an operation: "onb_", "off_", "mov_" or "rot_" and 26 characters',
  ),
})
export const backendParams = z.object({
  backendId: id(parseBackendId, 'Must be the id of a backend: "bke_" and 26 characters'),
})

/** `after`: the `next` of the page before. */
export const tenantPageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_TENANTS_MAX).default(PAGE_TENANTS_DEFAULT),
  after: tenantId.optional(),
})

/** For a slice that parses its own query. */
export const anyQuery = z.record(z.string(), z.string())
