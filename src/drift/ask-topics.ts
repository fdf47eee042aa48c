import type { Clock } from '../base/clock'
import type { CallerId, ModelId } from '../base/ids'
import type { TenantScope } from '../storage/tenant-scope'
import type { EmbedTexts } from './embed-texts'
import { topicOf, type TopicMap } from './topic-map'

/** Models that are remembered as resting at a time. */
const MODELS_MAX = 1_000
/** After an embedding was refused, or took a limit near its end, none is asked for this model for so long. */
const REST_MS = 60_000

export interface TopicsAsked {
  readonly scope: TenantScope
  readonly modelId: ModelId
  readonly by: CallerId
  readonly map: TopicMap
  /** At most `TEXTS_PER_CALL_MAX`. */
  readonly texts: readonly string[]
}

/** Topics in the order of the texts; undefined for one without text, and for all of them where they cannot be had at the moment. */
export type AskTopics = (asked: TopicsAsked) => Promise<readonly (string | undefined)[]>

export function createAskTopics({ embedTexts, clock }: { embedTexts: EmbedTexts; clock: Clock }): AskTopics {
  const restsUntilMs = new Map<ModelId, number>()
  const rest = (id: ModelId) => {
    if (restsUntilMs.size >= MODELS_MAX) restsUntilMs.clear()
    restsUntilMs.set(id, clock.monotonicMs() + REST_MS)
  }
  return async ({ scope, modelId, by, map, texts }) => {
    const said = texts.filter(hasText)
    if (said.length === 0 || (restsUntilMs.get(modelId) ?? -Infinity) > clock.monotonicMs()) return []
    const embedded = await embedTexts({ scope, by, alias: map.alias, texts: said })
    if (embedded.kind !== 'embedded' || embedded.isNearLimit) rest(modelId)
    if (embedded.kind !== 'embedded') return []
    const components = map.centroids[0]?.length
    const directions = embedded.directions.values()
    return texts.map((text) => {
      const direction = hasText(text) ? directions.next().value : undefined
      // Of another length where the alias leads to another model by now: such a vector says nothing beside the map's.
      return direction?.length === components && direction ? topicOf(map, direction) : undefined
    })
  }
}

const hasText = (text: string): boolean => text.trim() !== ''
