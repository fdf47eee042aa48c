import { z } from 'zod'
import { memberParams } from '../access/member-input'
import { parseBackendId, parseKeyId, parseOperationId, parseStampId, parseTenantId } from '../base/ids'
import { secretName } from '../tenants/own-models-input'
import { tierNames } from '../tenants/snapshot'
import { guid } from '../tenants/tenant-input'

const PAGE_TENANTS = { most: 100, usual: 50 }
const PAGE_AUDIT = { most: 1_000, usual: 100 }
/** Of lists whose length is bounded by what they list. */
const PAGE_OTHERS = { most: 500, usual: 100 }

/** A schema for text that must be an id of one kind. */
function id<Id>(parse: (text: string) => Id | undefined, valid: string) {
  return z
    .string()
    .transform((text, context) => {
      const parsed = parse(text)
      if (parsed !== undefined) return parsed
      context.addIssue({ code: 'custom', message: valid })
      return z.NEVER
    })
    .meta({ description: valid })
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

export const stampParams = z.object({
  stampId: id(parseStampId, 'Must be the id of a stamp: "stm_" and 26 characters'),
})

const limit = ({ most, usual }: { most: number; usual: number }) =>
  z.coerce.number().int().min(1).max(most).default(usual).meta({ description: 'The most that the page may hold.' })

/** `after`: the `next` of the page before. */
function pageQuery<After>(after: z.ZodType<After>, bounds: { most: number; usual: number }) {
  const behind = after.optional().meta({ description: 'The `next` of the page before; absent for the first page.' })
  return z.strictObject({ limit: limit(bounds), after: behind })
}

export const tenantPageQuery = pageQuery(tenantId, PAGE_TENANTS)
export const keyPageQuery = pageQuery(keyParams.shape.keyId, PAGE_OTHERS)
export const backendPageQuery = pageQuery(backendParams.shape.backendId, PAGE_OTHERS)
export const stampPageQuery = pageQuery(stampParams.shape.stampId, PAGE_OTHERS)
export const memberPageQuery = pageQuery(memberParams.shape.memberId, PAGE_OTHERS)
export const directoryPageQuery = pageQuery(guid('Must be a GUID'), PAGE_OTHERS)
export const secretPageQuery = pageQuery(secretName, PAGE_OTHERS)
export const tierPageQuery = pageQuery(z.enum(tierNames), PAGE_OTHERS)
export const auditPageQuery = z.strictObject({
  limit: limit(PAGE_AUDIT),
  after: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .meta({ description: 'The number of the last entry of the page before; 0 for the first page.' }),
})

/** For a slice that parses its own query. */
export const anyQuery = z.record(z.string(), z.string())
