export type TrainingMethod = 'supervised' | 'dpo' | 'reinforcement'

/** What is known of a model that can be trained. */
export interface TrainingModel {
  readonly methods: readonly TrainingMethod[]
  /** Tokens of one example; undefined where Microsoft says "unknown". */
  readonly exampleTokensMax: number | undefined
  readonly images: boolean
  /** Whether its tokens are those that we count (o200k_base). Of other models' the counts are rough. */
  readonly countedTokenizer: boolean
}

export interface TrainingModels {
  /** The day on which the source was read. */
  readonly asOf: string
  readonly source: string
  /** By family: a release (`-2025-04-14`) has what its family has. */
  readonly models: Readonly<Record<string, TrainingModel>>
}

const model = (
  methods: readonly TrainingMethod[],
  exampleTokensMax: number | undefined,
  more: { images?: boolean; countedTokenizer?: boolean } = {},
): TrainingModel => ({ methods, exampleTokensMax, images: false, countedTokenizer: true, ...more })

export const trainingModels: TrainingModels = {
  asOf: '2026-11-20',
  source: 'Microsoft, "Fine-tuning models" (training example context length, modality) and azure-facts 3.3 (methods)',
  models: {
    'gpt-4.1': model(['supervised', 'dpo'], 65_536, { images: true }),
    'gpt-4.1-mini': model(['supervised', 'dpo'], 65_536),
    'gpt-4.1-nano': model(['supervised', 'dpo'], 32_768),
    'gpt-4o': model(['supervised', 'dpo'], 65_536, { images: true }),
    'gpt-4o-mini': model(['supervised'], 65_536),
    'o4-mini': model(['reinforcement'], 65_536),
    'gpt-5': model(['reinforcement'], undefined),
    'gpt-oss-20b': model(['supervised'], undefined),
    'Ministral-3B': model(['supervised'], undefined, { countedTokenizer: false }),
    'Qwen-32B': model(['supervised'], 8_192, { countedTokenizer: false }),
    'Llama-3.3-70B': model(['supervised'], undefined, { countedTokenizer: false }),
  },
}

/** The part that a trained model's name adds to its base's: `gpt-4.1-2025-04-14.ft-b044…:ckpt-step-10`. */
const TRAINED = /\.ft-.*$/
const RELEASE_DATE = /-\d{4}-\d{2}-\d{2}$/

/** `gpt-4.1` of `gpt-4.1-2025-04-14`, and of a model that was trained from it. */
export const familyOf = (baseModel: string): string => baseModel.replace(TRAINED, '').replace(RELEASE_DATE, '')

/** Undefined for a model of which nothing is known. */
export const trainingModelOf = (baseModel: string, { models }: TrainingModels = trainingModels) => {
  const family = familyOf(baseModel)
  return Object.hasOwn(models, family) ? models[family] : undefined
}
