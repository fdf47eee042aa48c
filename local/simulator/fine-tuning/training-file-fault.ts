import { loadTokenizer } from '../tokens'
import { faultOf } from './judge-files'
import { scanTrainingFile } from './scan-training-file'
import type { TrainingMethod } from './trainable-models'

const methods: readonly TrainingMethod[] = ['supervised', 'dpo', 'reinforcement']

/** What is wrong with a file that fits no method; undefined where it fits one. It is told by the supervised one's rules. */
export async function trainingFileFault(bytes: Buffer): Promise<string | undefined> {
  const tokenizer = await loadTokenizer('o200k_base')
  let told: string | undefined
  for (const method of methods) {
    const scan = { method, grader: undefined, tokenizer, exampleTokensMax: Number.POSITIVE_INFINITY }
    const fault = faultOf(await scanTrainingFile(bytes, scan), 'validation_file')
    if (fault === undefined) return undefined
    told ??= `jsonlValidationFailed: ${fault.message}`
  }
  return told
}
