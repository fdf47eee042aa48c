import { z } from 'zod'
import type { TenantId } from '../base/ids'
import type { Purpose } from './purpose'
import { modelOf, offeredTo, retirementOf, retirementReasons, type SharedModel } from './shared-model'

const isoTime = (timeMs: number) => new Date(timeMs).toISOString()

export const sharedModelStates = ['building', 'ready', 'retiring', 'retired', 'failed'] as const

export const shownPurpose = z
  .object({
    id: z.string(),
    title: z.string(),
    region: z.string(),
    texts: z.array(z.object({ version: z.int(), text: z.string(), at: z.iso.datetime() })),
  })
  .meta({ id: 'Purpose' })

export const purposeView = ({ id, title, region, texts }: Purpose): z.infer<typeof shownPurpose> => ({
  id,
  title,
  region,
  texts: texts.map(({ version, text, atMs }) => ({ version, text, at: isoTime(atMs) })),
})

const counts = z.record(z.string(), z.int())

const shownContributor = z.object({
  tenantId: z.string().nullable().meta({ description: 'Null for one that is no tenant any more.' }),
  consent: z.int().meta({ description: 'The entry of its ledger.' }),
  textVersion: z.int(),
  files: z.array(z.string()),
  examples: z.int(),
  bytes: z.int(),
  contentHash: z.string().optional(),
  leftOut: counts,
  objectedAt: z.iso.datetime().optional(),
})

/** Of operators: who, how much and since when, and never what. */
export const shownSharedModel = z
  .object({
    id: z.string(),
    operationId: z.string(),
    purpose: z.string(),
    textVersion: z.int(),
    region: z.string(),
    baseModel: z.string(),
    suffix: z.string(),
    hyperparameters: z.record(z.string(), z.union([z.number(), z.string()])),
    tenantsMin: z.int(),
    state: z.enum(sharedModelStates),
    why: z.enum(retirementReasons).optional(),
    retirementId: z.string().optional().meta({ description: 'The operation that deletes it.' }),
    fault: z.object({ code: z.string(), message: z.string() }).optional(),
    modelId: z.string(),
    commonWords: z.int().optional(),
    merged: z.object({ tenants: z.int(), examples: z.int(), bytes: z.int() }).optional(),
    contributors: z.array(shownContributor),
    grants: z.array(z.string()),
    offeredTo: z.array(z.string()),
    affected: z
      .object({ since: z.iso.datetime(), retireBy: z.iso.datetime(), objections: z.int() })
      .optional()
      .meta({ description: 'Somebody whose examples are in it objected.' }),
    supersedes: z.string().optional(),
    successor: z.string().optional(),
    createdAt: z.iso.datetime(),
    by: z.string(),
  })
  .meta({ id: 'SharedModel' })

export const shownSharedModels = z.object({ sharedModels: z.array(shownSharedModel), next: z.string().optional() })

export function sharedModelView(model: SharedModel): z.infer<typeof shownSharedModel> {
  const { id, order, state, affected } = model
  return {
    id,
    operationId: id,
    purpose: order.purposeId,
    textVersion: model.textVersion,
    region: model.region,
    baseModel: order.baseModel,
    suffix: order.suffix,
    hyperparameters: { ...order.hyperparameters },
    tenantsMin: order.tenantsMin,
    state: state.kind,
    ...(state.kind === 'retiring' || state.kind === 'retired'
      ? { why: state.why, retirementId: retirementOf(id) }
      : {}),
    ...(state.kind === 'failed' ? { fault: { code: state.code, message: state.message } } : {}),
    modelId: modelOf(id),
    ...(model.commonWords === undefined ? {} : { commonWords: model.commonWords }),
    ...(model.merged ? { merged: model.merged } : {}),
    contributors: model.contributors.map(contributorView),
    grants: [...model.grants],
    offeredTo: offeredTo(model),
    ...(affected
      ? {
          affected: {
            since: isoTime(affected.sinceMs),
            retireBy: isoTime(affected.retireByMs),
            objections: affected.objections,
          },
        }
      : {}),
    ...(model.supersedes === undefined ? {} : { supersedes: model.supersedes }),
    ...(model.successor === undefined ? {} : { successor: model.successor }),
    createdAt: isoTime(model.createdAt),
    by: model.by,
  }
}

function contributorView(contributor: SharedModel['contributors'][number]): z.infer<typeof shownContributor> {
  const { tenantId, consent, textVersion, fileIds, sample, cleaned, part, objectedAt } = contributor
  return {
    tenantId: tenantId ?? null,
    consent,
    textVersion,
    files: [...fileIds],
    examples: part?.examples ?? 0,
    bytes: part?.bytes ?? 0,
    ...(part ? { contentHash: part.contentHash } : {}),
    leftOut: summed([sample?.leftOut ?? {}, cleaned?.leftOut ?? {}, shareOf(contributor)]),
    ...(objectedAt === undefined ? {} : { objectedAt: isoTime(objectedAt) }),
  }
}

/** What the bound on its part has left out. */
const shareOf = ({ cleaned, part }: SharedModel['contributors'][number]) => {
  const share = cleaned && part ? cleaned.examples - part.examples : 0
  return share > 0 ? { share } : {}
}

function summed(all: readonly Readonly<Partial<Record<string, number>>>[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const each of all) for (const [why, count] of Object.entries(each)) sums[why] = (sums[why] ?? 0) + (count ?? 0)
  return sums
}

/** Of a tenant: nothing of whoever else is concerned. */
export const shownOfferedModel = z
  .object({
    id: z.string(),
    purpose: z.string(),
    baseModel: z.string(),
    region: z.string(),
    state: z.enum(['ready', 'retiring']),
    readySince: z.iso.datetime().optional(),
    aliases: z.array(z.string()).meta({ description: 'Those of yours that lead to it.' }),
    ownExamples: z.int().meta({ description: 'Of yours that are in it.' }),
  })
  .meta({ id: 'OfferedModel' })

export function offeredModelView(
  model: SharedModel,
  tenantId: TenantId,
  aliases: readonly string[],
): z.infer<typeof shownOfferedModel> {
  const { id, order, region, state } = model
  const own = model.contributors.find((contributor) => contributor.tenantId === tenantId)
  return {
    id,
    purpose: order.purposeId,
    baseModel: order.baseModel,
    region,
    state: state.kind === 'ready' ? 'ready' : 'retiring',
    ...(state.kind === 'ready' ? { readySince: isoTime(state.sinceMs) } : {}),
    aliases: [...aliases],
    ownExamples: own?.part?.examples ?? 0,
  }
}
