import { z } from 'zod'
import { memberParams } from '../access/member-input'
import { idInput } from '../base/id-input'
import {
  operationPrefixes,
  parseBackendId,
  parseEvaluationId,
  parseKeyId,
  parseModelId,
  parseOperationId,
  parseStampId,
  parseTenantId,
} from '../base/ids'
import { FAULTS_KEPT_MAX } from '../datasets/dataset-bounds'
import { datasetId, linkUploadId } from '../datasets/dataset-input'
import { tuningJobId } from '../tuning/tuning-input'
import { deploymentStates } from '../registry/model-view'
import { secretName } from '../tenants/own-models-input'
import { tierNames } from '../tenants/snapshot'
import { purposeId } from '../shared-models/purpose'
import { parseSharedModelId } from '../shared-models/shared-model'
import { sharedModelStates } from '../shared-models/shared-model-view'
import { isPlatformOwner } from '../tenants/platform-owner'
import { aliasName, guid } from '../tenants/tenant-input'

const PAGE_TENANTS = { most: 100, usual: 50 }
const PAGE_AUDIT = { most: 1_000, usual: 100 }
const PAGE_FAULTS = { most: 1_000, usual: 100 }
/** Of lists whose length is bounded by what they list. */
const PAGE_OTHERS = { most: 500, usual: 100 }

/** What the platform itself owns is nobody's tenant: no path leads to it, and so no key, member or directory can be given to it. */
const parseOthersTenantId = (text: string) => {
  const id = parseTenantId(text)
  return id && !isPlatformOwner(id) ? id : undefined
}
const tenantId = idInput({ prefixes: ['ten'], parse: parseOthersTenantId, of: 'a tenant' })

export const tenantParams = z.object({ tenantId })
export const keyParams = z.object({ keyId: idInput({ prefixes: ['key'], parse: parseKeyId, of: 'a key' }) })
export const backendParams = z.object({
  backendId: idInput({ prefixes: ['bke'], parse: parseBackendId, of: 'a backend' }),
})
export const stampParams = z.object({ stampId: idInput({ prefixes: ['stm'], parse: parseStampId, of: 'a stamp' }) })
export const modelParams = z.object({
  modelId: idInput({ prefixes: ['mdl'], parse: parseModelId, of: 'a tuned model' }),
})
export const evaluationParams = modelParams.extend({
  evaluationId: idInput({ prefixes: ['evl'], parse: parseEvaluationId, of: 'an evaluation' }),
})

/** An operation's id has the prefix of its kind. */
export const operationParams = z.object({
  operationId: idInput({ prefixes: operationPrefixes, parse: parseOperationId, of: 'an operation' }),
})

/** Digits only: what else JavaScript takes for a number (blanks, `1e2`, `0x10`) is a mistake of the client's. */
function wholeNumber({ least, most, usual }: { least: number; most: number; usual: number }) {
  const number = z.int(`Must be a whole number from ${least} to ${most}`).min(least).max(most)
  const read = (text: unknown) => (typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : text)
  // In the document it is the default: zod drops a `default` of what it reads through a function.
  return z.preprocess(read, number).prefault(usual)
}

export const pageLimit = ({ most, usual }: { most: number; usual: number }) =>
  wholeNumber({ least: 1, most, usual }).meta({ description: 'The most that the page may hold.' })

/** `after`: the `next` of the page before. */
function pageQuery<After>(after: z.ZodType<After>, bounds: { most: number; usual: number }) {
  const behind = after.optional().meta({ description: 'The `next` of the page before; absent for the first page.' })
  return z.strictObject({ limit: pageLimit(bounds), after: behind })
}

export const tenantPageQuery = pageQuery(tenantId, PAGE_TENANTS)
export const keyPageQuery = pageQuery(keyParams.shape.keyId, PAGE_OTHERS)
export const backendPageQuery = pageQuery(backendParams.shape.backendId, PAGE_OTHERS)
export const stampPageQuery = pageQuery(stampParams.shape.stampId, PAGE_OTHERS)
export const memberPageQuery = pageQuery(memberParams.shape.memberId, PAGE_OTHERS)
export const directoryPageQuery = pageQuery(guid('Must be a GUID'), PAGE_OTHERS)
export const secretPageQuery = pageQuery(secretName, PAGE_OTHERS)
export const modelPageQuery = pageQuery(modelParams.shape.modelId, PAGE_OTHERS).extend({
  family: z.string().min(1).max(200).optional().meta({ description: 'Only versions of this family.' }),
  state: z.enum(deploymentStates).optional().meta({ description: 'Only those whose deployment is so.' }),
  archived: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'Only archived ones, or only others; absent: both.' }),
})
export const purposeParams = z.object({ purposeId })
export const sharedModelParams = z.object({
  sharedModelId: idInput({ prefixes: ['shm'], parse: parseSharedModelId, of: 'a shared model' }),
})
export const grantParams = sharedModelParams.extend(tenantParams.shape)
export const sharedAliasParams = sharedModelParams.extend({ alias: aliasName })
export const sharedModelPageQuery = pageQuery(sharedModelParams.shape.sharedModelId, PAGE_OTHERS).extend({
  affected: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'Only those with examples of somebody who objected, or only others; absent: both.' }),
  state: z.enum(sharedModelStates).optional(),
})
export const tuningJobParams = z.object({ jobId: tuningJobId })
export const tuningPageQuery = pageQuery(tuningJobId, PAGE_OTHERS)
export const datasetParams = z.object({ datasetId })
export const linkUploadParams = z.object({ uploadId: linkUploadId })
export const datasetPageQuery = pageQuery(datasetId, PAGE_OTHERS)
export const faultPageQuery = z.strictObject({
  limit: pageLimit(PAGE_FAULTS),
  after: wholeNumber({ least: 0, most: FAULTS_KEPT_MAX, usual: 0 }).meta({
    description: 'How many faults the pages before had; 0 for the first page.',
  }),
})
export const tierPageQuery = pageQuery(z.enum(tierNames), PAGE_OTHERS)
export const auditPageQuery = z.strictObject({
  limit: pageLimit(PAGE_AUDIT),
  after: wholeNumber({ least: 0, most: Number.MAX_SAFE_INTEGER, usual: 0 }).meta({
    description: 'The number of the last entry of the page before; 0 for the first page.',
  }),
})

/** For a slice that parses its own query. */
export const anyQuery = z.record(z.string(), z.string())
