export type TrainingMethod = 'supervised' | 'dpo' | 'reinforcement'

/** Base models that can be trained, and how. Source: Azure's fine-tuning pages, 2026. */
const methods: Readonly<Record<string, readonly TrainingMethod[]>> = {
  'gpt-4o-mini-2024-07-18': ['supervised'],
  'gpt-4o-2024-08-06': ['supervised', 'dpo'],
  'gpt-4.1-2025-04-14': ['supervised', 'dpo'],
  'gpt-4.1-mini-2025-04-14': ['supervised', 'dpo'],
  'gpt-4.1-nano-2025-04-14': ['supervised', 'dpo'],
  'o4-mini-2025-04-16': ['reinforcement'],
  'gpt-5-2025-08-07': ['reinforcement'],
  'Ministral-3B': ['supervised'],
  'Qwen-32B': ['supervised'],
  'Llama-3.3-70B': ['supervised'],
  'gpt-oss-20b': ['supervised'],
}

/** The version that a name means, which may leave it out; undefined where the model cannot be trained. */
export function trainableModel(name: string): string | undefined {
  if (Object.hasOwn(methods, name)) return name
  return Object.keys(methods).find((model) => model.replace(/-\d{4}-\d{2}-\d{2}$/, '') === name)
}

export const methodsOf = (model: string): readonly TrainingMethod[] => methods[model] ?? []

const TUNED = '.ft-'

export const isTunedName = (name: string): boolean => name.includes(TUNED)

/** The base of a tuned model's name, or of a checkpoint's. */
export const baseOfName = (name: string): string => name.split(TUNED, 1)[0] ?? name

/** `gpt-4.1-2025-04-14.ft-{32 hex}-{suffix}`. */
export const tunedName = (base: string, id: string, suffix: string | null): string =>
  `${base}${TUNED}${id}${suffix === null ? '' : `-${suffix}`}`

export const checkpointName = (model: string, step: number): string => `${model}:ckpt-step-${step}`
