import type { EncodingName } from './tokens'

/** What the simulator knows of a model family. Figures: Microsoft's model and provisioned-throughput tables, 2026. */
export interface ModelFacts {
  /** The family's name, without a version: what Azure writes in its rate-limit messages. */
  readonly name: string
  readonly kind: 'chat' | 'reasoning' | 'completions' | 'embeddings' | 'images' | 'hearing' | 'speech'
  readonly encoding: EncodingName
  readonly inputTokensMax: number
  /** Zero for embeddings. */
  readonly outputTokensMax: number
  /** Zero unless the kind is `embeddings`. */
  readonly embeddingDimensions: number
  readonly dimensionsSettable: boolean
  /** The capacity rule: requests per minute that come with 1,000 tokens per minute. */
  readonly requestsPerThousandTokens: number
  /** How a provisioned unit is counted; absent for families that are not sold provisioned. */
  readonly provisioned?: { readonly inputTokensPerMinutePerUnit: number; readonly outputRatio: number }
  /** Longest prompt that a provisioned deployment takes, where it is shorter than the model's own. */
  readonly provisionedInputTokensMax?: number
  /** False for models that are billed by the image, the second of sound or the character, and so report no tokens. */
  readonly reportsTokens: boolean
  /** Chat completions refuse it. */
  readonly responsesOnly: boolean
  /** Thinks without being asked; families from gpt-5.1 on do not. */
  readonly reasonsByDefault: boolean
}

const base: ModelFacts = {
  name: '',
  kind: 'chat',
  encoding: 'o200k_base',
  inputTokensMax: 111_616,
  outputTokensMax: 16_384,
  embeddingDimensions: 0,
  dimensionsSettable: false,
  requestsPerThousandTokens: 1,
  reportsTokens: true,
  responsesOnly: false,
  reasonsByDefault: false,
}
const gpt41 = { ...base, inputTokensMax: 1_014_808, outputTokensMax: 32_768, provisionedInputTokensMax: 128_000 }
const gpt4o = { ...base, requestsPerThousandTokens: 6 }
const gpt5 = { ...base, kind: 'reasoning' as const, inputTokensMax: 272_000, outputTokensMax: 128_000 }
const oSeries = { ...base, kind: 'reasoning' as const, inputTokensMax: 100_000, outputTokensMax: 100_000 }
const embedding = {
  ...base,
  kind: 'embeddings' as const,
  encoding: 'cl100k_base' as const,
  inputTokensMax: 8_192,
  outputTokensMax: 0,
  requestsPerThousandTokens: 6,
}
const image = { ...base, kind: 'images' as const, inputTokensMax: 32_000, outputTokensMax: 0 }
const hearing = { ...base, kind: 'hearing' as const, inputTokensMax: 16_000, outputTokensMax: 2_000 }
const speech = { ...base, kind: 'speech' as const, inputTokensMax: 2_000, outputTokensMax: 0 }
const untold = { reportsTokens: false }
const units = (inputTokensPerMinutePerUnit: number, outputRatio: number) => ({
  provisioned: { inputTokensPerMinutePerUnit, outputRatio },
})

const families: readonly ModelFacts[] = [
  { ...gpt41, name: 'gpt-4.1', ...units(3_000, 4) },
  { ...gpt41, name: 'gpt-4.1-mini', ...units(14_900, 4) },
  { ...gpt41, name: 'gpt-4.1-nano', ...units(59_400, 4) },
  { ...gpt4o, name: 'gpt-4o', ...units(2_500, 4) },
  { ...gpt4o, name: 'gpt-4o-mini', ...units(37_000, 4) },
  { ...gpt4o, name: 'gpt-4', encoding: 'cl100k_base', inputTokensMax: 8_192, outputTokensMax: 8_192 },
  { ...gpt4o, name: 'gpt-35-turbo', encoding: 'cl100k_base', inputTokensMax: 16_385, outputTokensMax: 4_096 },
  {
    ...gpt4o,
    name: 'gpt-35-turbo-instruct',
    kind: 'completions',
    encoding: 'cl100k_base',
    inputTokensMax: 4_097,
    outputTokensMax: 4_097,
  },
  { ...gpt5, name: 'gpt-5', ...units(4_750, 8), reasonsByDefault: true },
  { ...gpt5, name: 'gpt-5-mini', ...units(23_750, 8), reasonsByDefault: true },
  { ...gpt5, name: 'gpt-5-nano', reasonsByDefault: true },
  { ...base, name: 'gpt-5-chat' },
  { ...gpt5, name: 'gpt-5.1', ...units(4_750, 8) },
  { ...gpt5, name: 'gpt-5.2', ...units(3_400, 8) },
  { ...gpt5, name: 'gpt-5.4', inputTokensMax: 922_000, provisionedInputTokensMax: 128_000, ...units(2_400, 6) },
  { ...gpt5, name: 'gpt-5.4-mini' },
  { ...gpt5, name: 'gpt-5.4-nano' },
  { ...gpt5, name: 'gpt-5.5', inputTokensMax: 922_000, ...units(1_200, 6) },
  { ...gpt5, name: 'gpt-5-codex', responsesOnly: true, reasonsByDefault: true },
  { ...gpt5, name: 'gpt-5-pro', responsesOnly: true, reasonsByDefault: true },
  { ...gpt5, name: 'gpt-5.3-codex', responsesOnly: true, ...units(3_400, 8) },
  { ...oSeries, name: 'o3', ...units(3_000, 4), reasonsByDefault: true },
  { ...oSeries, name: 'o3-mini', requestsPerThousandTokens: 0.1, reasonsByDefault: true },
  { ...oSeries, name: 'o4-mini', ...units(5_400, 4), reasonsByDefault: true },
  { ...embedding, name: 'text-embedding-3-small', embeddingDimensions: 1_536, dimensionsSettable: true },
  { ...embedding, name: 'text-embedding-3-large', embeddingDimensions: 3_072, dimensionsSettable: true },
  { ...embedding, name: 'text-embedding-ada-002', embeddingDimensions: 1_536 },
  { ...image, name: 'gpt-image-1' },
  { ...image, name: 'gpt-image-1-mini' },
  { ...image, name: 'gpt-image-1.5' },
  { ...image, name: 'dall-e-3', inputTokensMax: 4_000, ...untold },
  { ...hearing, name: 'whisper', ...untold },
  { ...hearing, name: 'gpt-4o-transcribe' },
  { ...hearing, name: 'gpt-4o-mini-transcribe' },
  { ...speech, name: 'tts', ...untold },
  { ...speech, name: 'tts-hd', ...untold },
  { ...speech, name: 'gpt-4o-mini-tts' },
]

/**
 * The family of a model version such as `gpt-4.1-mini-2025-04-14` or `gpt-4.1-2025-04-14.ft-…`: the longest name that
 * ends at a dash. An unknown model is a plain chat model, so that a new one can be configured before it is listed here.
 */
export function modelFacts(model: string): ModelFacts {
  let found: ModelFacts | undefined
  for (const family of families) {
    if (model !== family.name && !model.startsWith(`${family.name}-`)) continue
    if (found === undefined || family.name.length > found.name.length) found = family
  }
  return found ?? { ...base, name: model }
}

/** Every family, for the model list of a resource. */
export function knownModels(): readonly ModelFacts[] {
  return families
}
