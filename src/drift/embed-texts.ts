import type { Caller } from '../access/caller'
import { parseKeyId, type CallerId } from '../base/ids'
import { fieldsOf } from '../base/json-object'
import { Problem } from '../base/problem'
import type { AnswerForTenant, CallForTenant } from '../inference/call-for-tenant'
import { embeddings } from '../inference/surfaces/embeddings'
import type { TenantScope } from '../storage/tenant-scope'
import type { ModelAlias, TenantSnapshot } from '../tenants/snapshot'
import { directionOf, type Direction } from './spherical-k-means'

/** Of one call: 16 texts of `TEXT_CHARACTERS_MAX` stay below the 8,192 tokens that an input of Azure may have, and each by far. */
export const TEXTS_PER_CALL_MAX = 16
/** Of the tenant's limits so much is left to its own calls. */
const REMAINING_MIN = 0.2
/** The beginning of a vector of these models is a vector itself (OpenAI, "New embedding models", 2024); others have one length. */
const SHORTENED = /^text-embedding-3-/
const COMPONENTS = 256
const PURPOSE = 'drift'

/** Directions in the order of the texts. */
export type EmbedTexts = (asked: AskedEmbeddings) => Promise<EmbeddedTexts>

export interface AskedEmbeddings {
  readonly scope: TenantScope
  /** Of the tenant's aliases. */
  readonly alias: string
  /** Whom the calls are booked on: who had the model trained. */
  readonly by: CallerId
  /** At most `TEXTS_PER_CALL_MAX`, none of them empty. */
  readonly texts: readonly string[]
}

export type EmbeddedTexts =
  /** Near a limit of the tenant's, whoever asks goes on later. */
  | { readonly kind: 'embedded'; readonly directions: readonly Direction[]; readonly isNearLimit: boolean }
  /** Limits are near, or backends are busy: what waits for it is better dropped than asked again at once. */
  | { readonly kind: 'busy' }
  /** Asking again changes nothing: the alias is gone, or makes no embeddings. */
  | { readonly kind: 'refused'; readonly why: string }

export interface EmbedTextsDeps {
  readonly tenantOf: (
    tenantId: TenantSnapshot['tenantId'],
  ) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly callForTenant: (call: CallForTenant) => Promise<AnswerForTenant | Problem>
}

/** As calls of the tenant's, within its limits and budgets and on its account; they give way to all others. */
export const createEmbedTexts =
  ({ tenantOf, callForTenant }: EmbedTextsDeps): EmbedTexts =>
  async ({ scope, alias: name, by, texts }) => {
    const tenant = await tenantOf(scope.tenantId)
    const alias = tenant && Object.hasOwn(tenant.aliases, name) ? tenant.aliases[name] : undefined
    if (!tenant || !alias?.capabilities.includes('embeddings'))
      return { kind: 'refused', why: `there is no alias “${name}” for embeddings` }
    const answer = await callForTenant({
      tenant,
      caller: callerOf(scope, by),
      alias,
      operation: embeddings,
      body: { input: texts, encoding_format: 'float', ...shortened(alias) },
      purpose: PURPOSE,
    })
    if (answer instanceof Problem)
      return answer.entry.retryable ? { kind: 'busy' } : { kind: 'refused', why: answer.code }
    if (answer.status !== 200) return { kind: 'refused', why: `the model answered with HTTP ${answer.status}` }
    const directions = readDirections(answer.body, texts.length)
    if (!directions) return { kind: 'refused', why: 'the model answered with no embeddings' }
    return { kind: 'embedded', directions, isNearLimit: answer.remaining < REMAINING_MIN }
  }

const shortened = ({ model }: ModelAlias) => (SHORTENED.test(model) ? { dimensions: COMPONENTS } : {})

/** The platform, in the name of who is booked on; without that one's own limits, since it does not ask for these calls itself. */
function callerOf({ tenantId }: TenantScope, by: CallerId): Caller {
  const keyId = parseKeyId(by)
  return {
    tenantId,
    callerId: by,
    principal: keyId ? { kind: 'key', keyId } : { kind: 'application', directoryId: '', objectId: by },
    role: undefined,
    scopes: ['inference'],
    aliases: undefined,
    limits: undefined,
  }
}

/** Source: OpenAI's `CreateEmbeddingResponse`. */
function readDirections(body: unknown, texts: number): readonly Direction[] | undefined {
  const { data } = fieldsOf(body)
  if (!Array.isArray(data) || data.length !== texts) return undefined
  const directions = data.flatMap((item: unknown) => {
    const { embedding } = fieldsOf(item)
    const direction = Array.isArray(embedding) && embedding.every(isNumber) ? directionOf(embedding) : undefined
    return direction ? [direction] : []
  })
  const [first] = directions
  return directions.length === texts && directions.every(({ length }) => length === first?.length)
    ? directions
    : undefined
}

const isNumber = (value: unknown): value is number => typeof value === 'number'
